package controller

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

func TestMakeJob(t *testing.T) {
	build := &v1alpha1.Build{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "drydock-ada", Name: "app-7", UID: "u", CreationTimestamp: metav1.NewTime(time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC)),
		},
		Spec: v1alpha1.BuildSpec{
			Account: "ada", Number: 7, Image: v1alpha1.ImageReference{Name: "app"},
			Recipe: v1alpha1.Recipe{
				Source:      v1alpha1.GitSource{Repository: "https://example.com/app", Ref: "main", Context: ".", Dockerfile: "Dockerfile"},
				Destination: "localhost:5000/ada/app",
				Tags:        []string{"v{{.Number}}", "{{ .Date }}-{{.ShortCommit}}"},
				BuildArgs:   []v1alpha1.BuildArg{{Key: "A", Value: "$(DRYDOCK_REF) $5\nb"}, {Key: "B"}},
				Platforms:   []string{"linux/amd64", "linux/arm64"},
			},
			Limits: v1alpha1.BuildLimits{TimeoutSeconds: 600, CPU: resource.MustParse("2"), Memory: resource.MustParse("4Gi")},
		},
	}
	strategy := &corev1.PodTemplate{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "one", Env: []corev1.EnvVar{{Name: "MINE", Value: "1"}}}},
		Containers:     []corev1.Container{{Name: "two"}},
	}}}
	job := makeJob(build, strategy, credentials{logins: []v1alpha1.KeptSecret{{Name: "docker.io"}, {Name: "localhost:5000"}}, plain: []string{"localhost:5000", "old.example.com"}})
	pod := job.Spec.Template.Spec

	env := map[string]string{}
	for _, variable := range pod.Containers[0].Env {
		env[variable.Name] = variable.Value
	}
	want := map[string]string{
		"DRYDOCK_REPOSITORY": "https://example.com/app", "DRYDOCK_REF": "main", "DRYDOCK_COMMIT": "", "DRYDOCK_CONTEXT": ".", "DRYDOCK_DOCKERFILE": "Dockerfile",
		"DRYDOCK_DESTINATION": "localhost:5000/ada/app", "DRYDOCK_CACHE": "true", "DRYDOCK_INSECURE_REGISTRIES": "localhost:5000\nold.example.com",
		"DRYDOCK_REGISTRY_LOGINS": "/run/drydock/registries", "DRYDOCK_GIT_CREDENTIAL": "/run/drydock/git",
		"DRYDOCK_SECRETS":   "",
		"DRYDOCK_TAGS":      "v7\n2026-03-01-{{.ShortCommit}}",
		"DRYDOCK_PLATFORMS": "linux/amd64\nlinux/arm64",
		"DRYDOCK_ARGS":      "A\nB", "DRYDOCK_ARG_A": "$$(DRYDOCK_REF) $$5\nb", "DRYDOCK_ARG_B": "",
	}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Error("environment:", diff)
	}
	if last := pod.InitContainers[0].Env[len(pod.InitContainers[0].Env)-1]; last.Name != "MINE" {
		t.Errorf("the strategy's own variable is %v, want it last", last)
	}
	if got := pod.Containers[0].Resources.Requests.Cpu().String(); got != "250m" {
		t.Errorf("cpu request %s, want 250m", got)
	}
	if got := pod.InitContainers[0].Resources.Limits.Memory().String(); got != "4Gi" {
		t.Errorf("memory limit %s, want 4Gi", got)
	}
	if *pod.ActiveDeadlineSeconds != 600 || *job.Spec.ActiveDeadlineSeconds != 1260 || *job.Spec.BackoffLimit != 0 {
		t.Errorf("pod deadline %d, job deadline %d, backoff limit %d", *pod.ActiveDeadlineSeconds, *job.Spec.ActiveDeadlineSeconds, *job.Spec.BackoffLimit)
	}
	if pod.RestartPolicy != corev1.RestartPolicyNever || *pod.AutomountServiceAccountToken || *pod.EnableServiceLinks {
		t.Errorf("restart %s, token %v, service links %v", pod.RestartPolicy, *pod.AutomountServiceAccountToken, *pod.EnableServiceLinks)
	}
	if !metav1.IsControlledBy(job, build) || job.Spec.Template.Labels[v1alpha1.LabelBuild] != "app-7" || job.Labels[v1alpha1.LabelAccount] != "ada" {
		t.Errorf("owner or labels are wrong: %+v", job.ObjectMeta)
	}
	if len(strategy.Template.Labels) > 0 || len(strategy.Template.Spec.Containers[0].Env) > 0 {
		t.Error("the strategy itself was changed")
	}
}

// TestSecretsAreMounted: a build's pod names the Secrets and holds nothing of them.
func TestSecretsAreMounted(t *testing.T) {
	strategy := &corev1.PodTemplate{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "one"}}, Containers: []corev1.Container{{Name: "two"}},
	}}}
	pod := makeJob(&v1alpha1.Build{}, strategy, credentials{
		logins:  []v1alpha1.KeptSecret{{Name: "localhost:5000", Secret: "registry-x"}},
		git:     []v1alpha1.KeptSecret{{Secret: "git-x"}},
		secrets: []v1alpha1.KeptSecret{{Name: "npm", Secret: "build-x"}, {Name: "pip", Secret: "build-y"}},
	}).Spec.Template.Spec
	source := func(secret, key, path string) corev1.VolumeProjection {
		return corev1.VolumeProjection{Secret: &corev1.SecretProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Items: []corev1.KeyToPath{{Key: key, Path: path}}, Optional: new(true),
		}}
	}
	mode := new(int32(0o444))
	want := []corev1.Volume{
		{Name: "drydock-registries", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{DefaultMode: mode,
			Sources: []corev1.VolumeProjection{source("registry-x", ".dockerconfigjson", "localhost:5000")}}}},
		{Name: "drydock-secrets", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{DefaultMode: mode,
			Sources: []corev1.VolumeProjection{source("build-x", "value", "npm"), source("build-y", "value", "pip")}}}},
		{Name: "drydock-git", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "git-x", DefaultMode: mode, Optional: new(true)}}},
	}
	if diff := cmp.Diff(want, pod.Volumes); diff != "" {
		t.Error("volumes:", diff)
	}
	mount := []corev1.VolumeMount{
		{Name: "drydock-registries", MountPath: "/run/drydock/registries", ReadOnly: true},
		{Name: "drydock-secrets", MountPath: "/run/drydock/secrets", ReadOnly: true},
		{Name: "drydock-git", MountPath: "/run/drydock/git", ReadOnly: true},
	}
	for _, container := range append(pod.InitContainers, pod.Containers...) {
		if diff := cmp.Diff(mount, container.VolumeMounts); diff != "" {
			t.Errorf("container %s: %s", container.Name, diff)
		}
		if !slices.Contains(container.Env, corev1.EnvVar{Name: "DRYDOCK_SECRETS", Value: "/run/drydock/secrets"}) {
			t.Errorf("container %s is not told of the secrets: %v", container.Name, container.Env)
		}
	}
	without := makeJob(&v1alpha1.Build{}, strategy, credentials{}).Spec.Template.Spec
	if len(without.Volumes) != 0 || len(without.Containers[0].VolumeMounts) != 0 {
		t.Errorf("an account without secrets has volumes: %+v", without)
	}
}

func TestUnsupported(t *testing.T) {
	strategy := func(annotations map[string]string) *corev1.PodTemplate {
		return &corev1.PodTemplate{ObjectMeta: metav1.ObjectMeta{Annotations: annotations}}
	}
	cases := []struct {
		reason     string
		strategy   *corev1.PodTemplate
		want, miss []string
	}{
		{"no annotation takes any", strategy(nil), []string{"linux/arm64"}, nil},
		{"host is not everything", strategy(map[string]string{AnnotationPlatforms: "host"}), []string{"plan9/mips"}, []string{"plan9/mips"}},
		{"a list with blanks", strategy(map[string]string{AnnotationPlatforms: "linux/amd64, linux/arm64"}), []string{"linux/arm64", "linux/riscv64"}, []string{"linux/riscv64"}},
		{"nothing asked for is always there", strategy(map[string]string{AnnotationPlatforms: ""}), nil, nil},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			if diff := cmp.Diff(c.miss, unsupported(c.strategy, c.want), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
