package controller

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/registry"
)

const (
	// loginsVolume is the volume of the account's registry logins in a build's pod: a
	// Docker configuration of each registry, in a file of the registry's name.
	loginsVolume = "drydock-registries"
	loginsPath   = "/run/drydock/registries"
	// gitVolume is the volume of the image's git credential.
	gitVolume = "drydock-git"
	gitPath   = "/run/drydock/git"
	// secretsVolume is the volume of the image's build secrets, in a file of its key each.
	secretsVolume = "drydock-secrets"
	secretsPath   = "/run/drydock/secrets"
)

// credentials are what a build is given beside its recipe. The Secrets are mounted by
// their names: the node reads them, the controller may not.
type credentials struct {
	// logins are the account's, at registries.
	logins []v1alpha1.KeptSecret
	// git and secrets are the image's own.
	git, secrets []v1alpha1.KeptSecret
	// plain are the registries that may speak plain HTTP.
	plain []string
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=images,verbs=get

// credentialsOf reads which there are now.
func (q *queue) credentialsOf(ctx context.Context, build *v1alpha1.Build) (credentials, error) {
	var namespace corev1.Namespace
	if err := q.live.Get(ctx, client.ObjectKey{Name: build.Namespace}, &namespace); err != nil {
		return credentials{}, err
	}
	var image v1alpha1.Image
	if err := q.live.Get(ctx, client.ObjectKey{Namespace: build.Namespace, Name: build.Spec.Image.Name}, &image); err != nil {
		return credentials{}, err
	}
	var found credentials
	account := v1alpha1.SecretsOf(&namespace)
	found.logins = account.Of(v1alpha1.SecretRegistry)
	if string(image.UID) == build.Spec.Image.UID {
		own := v1alpha1.SecretsOf(&image)
		found.git, found.secrets = own.Of(v1alpha1.SecretGit), own.Of(v1alpha1.SecretBuild)
	}
	destination, _, _ := strings.Cut(build.Spec.Destination, "/")
	rules := registry.Rules{Insecure: q.insecure, Loopback: true}
	for _, login := range found.logins {
		if rules.Plain(login.Name) {
			found.plain = append(found.plain, login.Name)
		}
	}
	if rules.Plain(destination) {
		found.plain = append(found.plain, destination)
	}
	found.plain = append(found.plain, q.insecure...)
	slices.Sort(found.plain)
	found.plain = slices.Compact(found.plain)
	return found, nil
}

// mount gives every container of a pod the Secrets. One that is deleted before the pod
// starts is left out.
func (c credentials) mount(pod *corev1.PodSpec) {
	mountFiles(pod, loginsVolume, loginsPath, corev1.DockerConfigJsonKey, c.logins)
	mountFiles(pod, secretsVolume, secretsPath, v1alpha1.BuildSecretKey, c.secrets)
	for _, git := range c.git {
		addVolume(pod, gitVolume, gitPath, corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: git.Secret, DefaultMode: new(int32(secretMode)), Optional: new(true),
		}})
	}
}

// mountFiles makes a folder of one file for each Secret, of the secret's own name.
func mountFiles(pod *corev1.PodSpec, volume, path, key string, kept []v1alpha1.KeptSecret) {
	if len(kept) == 0 {
		return
	}
	var sources []corev1.VolumeProjection
	for _, one := range kept {
		sources = append(sources, corev1.VolumeProjection{Secret: &corev1.SecretProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: one.Secret},
			Items:                []corev1.KeyToPath{{Key: key, Path: one.Name}},
			Optional:             new(true),
		}})
	}
	addVolume(pod, volume, path, corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: sources, DefaultMode: new(int32(secretMode))}})
}

// secretMode lets all of a pod's containers read its secrets: they have users of their own.
const secretMode = 0o444

func addVolume(pod *corev1.PodSpec, name, path string, source corev1.VolumeSource) {
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: name, VolumeSource: source})
	for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range containers {
			containers[i].VolumeMounts = append(containers[i].VolumeMounts, corev1.VolumeMount{Name: name, MountPath: path, ReadOnly: true})
		}
	}
}

// at is the folder of what is kept; empty where nothing is.
func at(folder string, kept []v1alpha1.KeptSecret) string {
	if len(kept) == 0 {
		return ""
	}
	return folder
}
