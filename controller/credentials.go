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
	// gitVolume is the volume of the image's git credential; empty without one.
	gitVolume = "drydock-git"
	gitPath   = "/run/drydock/git"
)

// registries are what a build knows of registries.
type registries struct {
	// logins are the registries that the account has logins for.
	logins []string
	// plain are those that may speak plain HTTP.
	plain []string
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=namespaces,verbs=get

// registriesOf reads which logins there are. The Secrets are mounted by their names:
// the node reads them, the controller may not.
func (q *queue) registriesOf(ctx context.Context, build *v1alpha1.Build) (registries, error) {
	var namespace corev1.Namespace
	if err := q.live.Get(ctx, client.ObjectKey{Name: build.Namespace}, &namespace); err != nil {
		return registries{}, err
	}
	var found registries
	for _, login := range v1alpha1.RegistryLogins(&namespace) {
		found.logins = append(found.logins, login.Registry)
	}
	destination, _, _ := strings.Cut(build.Spec.Destination, "/")
	rules := registry.Rules{Insecure: q.insecure, Loopback: true}
	for _, host := range append([]string{destination}, found.logins...) {
		if rules.Plain(host) {
			found.plain = append(found.plain, host)
		}
	}
	found.plain = append(found.plain, q.insecure...)
	slices.Sort(found.plain)
	found.plain = slices.Compact(found.plain)
	return found, nil
}

// mount gives every container of a pod the logins. One that is deleted before the pod
// starts is left out.
func (r registries) mount(pod *corev1.PodSpec) {
	if len(r.logins) == 0 {
		return
	}
	var sources []corev1.VolumeProjection
	for _, host := range r.logins {
		sources = append(sources, corev1.VolumeProjection{Secret: &corev1.SecretProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: v1alpha1.RegistrySecret(host)},
			Items:                []corev1.KeyToPath{{Key: corev1.DockerConfigJsonKey, Path: host}},
			Optional:             new(true),
		}})
	}
	addVolume(pod, loginsVolume, loginsPath, corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: sources, DefaultMode: new(int32(secretMode))}})
}

// mountGit gives every container of a pod the image's git credential, if there is one.
func mountGit(pod *corev1.PodSpec, image v1alpha1.ImageReference) {
	addVolume(pod, gitVolume, gitPath, corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
		SecretName: v1alpha1.GitSecret(image.Name, image.UID), DefaultMode: new(int32(secretMode)), Optional: new(true),
	}})
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

// path is where the logins are; empty without any.
func (r registries) path() string {
	if len(r.logins) == 0 {
		return ""
	}
	return loginsPath
}
