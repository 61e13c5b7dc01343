package controller

import (
	"maps"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

const (
	// jobSlackSeconds is how much later than the pod the Job itself is ended. The pod's
	// own deadline leaves the pod, and so its log, in place; the Job's deadline deletes
	// the pod, and is there for pods that never start while no controller runs.
	jobSlackSeconds = 60
	// jobKept is how long after a build's end its Job and pod stay, for whoever looks with
	// kubectl.
	jobKept = 10 * time.Minute
)

// makeJob is the Job of a build: the strategy's pod, with the build's recipe in the
// environment, its account's and its image's credentials, and the plan's limits. It has
// no time to live: what its pod said must be there for a controller that was away.
func makeJob(build *v1alpha1.Build, strategy *corev1.PodTemplate, known credentials) *batchv1.Job {
	labels := objectLabels(build)
	template := strategy.Template.DeepCopy()
	if template.Labels == nil {
		template.Labels = map[string]string{}
	}
	maps.Copy(template.Labels, labels)
	timeout := int64(build.Spec.Limits.TimeoutSeconds)
	pod := &template.Spec
	pod.RestartPolicy = corev1.RestartPolicyNever
	pod.AutomountServiceAccountToken = new(false)
	pod.EnableServiceLinks = new(false)
	pod.ActiveDeadlineSeconds = &timeout
	env := environment(build, known)
	known.mount(pod)
	for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range containers {
			containers[i].Env = append(env[:len(env):len(env)], containers[i].Env...)
			containers[i].Resources = resources(build.Spec.Limits)
		}
	}
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       build.Namespace,
			Name:            build.Name,
			Labels:          labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(build, v1alpha1.GroupVersion.WithKind("Build"))},
		},
		Spec: batchv1.JobSpec{
			Template:              *template,
			BackoffLimit:          new(int32(0)),
			ActiveDeadlineSeconds: new(2*timeout + jobSlackSeconds), // the pod may wait, then run
		},
	}
}

// objectLabels are on all that is made for a build.
func objectLabels(build *v1alpha1.Build) map[string]string {
	return map[string]string{
		v1alpha1.LabelAccount: v1alpha1.AccountLabel(build.Spec.Account),
		v1alpha1.LabelImage:   build.Spec.Image.Name,
		v1alpha1.LabelBuild:   build.Name,
	}
}

// resources limit a container to the plan's, and ask the scheduler for a part of it:
// builds wait for networks and disks most of the time.
func resources(limits v1alpha1.BuildLimits) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Limits: corev1.ResourceList{corev1.ResourceCPU: limits.CPU, corev1.ResourceMemory: limits.Memory},
		Requests: corev1.ResourceList{
			corev1.ResourceCPU:    *resource.NewMilliQuantity(max(limits.CPU.MilliValue()/8, 1), resource.DecimalSI),
			corev1.ResourceMemory: *resource.NewQuantity(limits.Memory.Value()/4, resource.BinarySI),
		},
	}
}

// environment is what a strategy's containers are told of a build. DRYDOCK_ARGS
// lists the keys of the build arguments; the value of one is in DRYDOCK_ARG_<key>,
// so that it may hold anything.
func environment(build *v1alpha1.Build, known credentials) []corev1.EnvVar {
	recipe := build.Spec.Recipe
	var env []corev1.EnvVar
	add := func(name, value string) {
		// Kubernetes expands $(NAME) in values, and reads $$ as one $.
		env = append(env, corev1.EnvVar{Name: name, Value: strings.ReplaceAll(value, "$", "$$")})
	}
	add("DRYDOCK_REPOSITORY", recipe.Source.Repository)
	add("DRYDOCK_REF", recipe.Source.Ref)
	add("DRYDOCK_COMMIT", build.Spec.Commit)
	add("DRYDOCK_CONTEXT", recipe.Source.Context)
	add("DRYDOCK_DOCKERFILE", recipe.Source.Dockerfile)
	add("DRYDOCK_DESTINATION", recipe.Destination)
	add("DRYDOCK_TAGS", strings.Join(renderTags(build), "\n"))
	add("DRYDOCK_PLATFORMS", strings.Join(recipe.Platforms, "\n"))
	cache := ""
	if recipe.Cached() {
		cache = "true"
	}
	add("DRYDOCK_CACHE", cache)
	add("DRYDOCK_INSECURE_REGISTRIES", strings.Join(known.plain, "\n"))
	add("DRYDOCK_REGISTRY_LOGINS", at(loginsPath, known.logins))
	add("DRYDOCK_GIT_CREDENTIAL", gitPath)
	add("DRYDOCK_SECRETS", at(secretsPath, known.secrets))
	var keys []string
	for _, arg := range recipe.BuildArgs {
		keys = append(keys, arg.Key)
		add("DRYDOCK_ARG_"+arg.Key, arg.Value)
	}
	add("DRYDOCK_ARGS", strings.Join(keys, "\n"))
	return env
}

// renderTags fills in what the controller knows: the build's number, and the day it
// was asked for (UTC, YYYY-MM-DD). The rest is known once the source is there.
func renderTags(build *v1alpha1.Build) []string {
	number := strconv.FormatInt(build.Spec.Number, 10)
	date := build.CreationTimestamp.UTC().Format("2006-01-02")
	replacer := strings.NewReplacer(
		"{{.Number}}", number, "{{ .Number }}", number, "{{ .Number}}", number, "{{.Number }}", number,
		"{{.Date}}", date, "{{ .Date }}", date, "{{ .Date}}", date, "{{.Date }}", date,
	)
	var tags []string
	for _, tag := range build.Spec.Tags {
		tags = append(tags, replacer.Replace(tag))
	}
	return tags
}
