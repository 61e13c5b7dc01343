package controller

import (
	"context"
	"errors"
	"io"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// logKeeper keeps builds' logs in ConfigMaps, which go when the Build goes.
type logKeeper struct {
	deps
	pods typedv1.PodsGetter
}

// keep reads what a pod printed so far and keeps it. Kept again, it is replaced.
func (k logKeeper) keep(ctx context.Context, build *v1alpha1.Build, pod *corev1.Pod) (*v1alpha1.BuildLog, error) {
	var tail v1alpha1.LogTail
	for _, container := range v1alpha1.LogContainers(&pod.Spec) {
		if !containerStarted(pod, container) {
			continue
		}
		if err := k.read(ctx, &tail, pod, container); err != nil {
			return nil, err
		}
	}
	chunks, log := tail.Pack(build.Name)
	for _, chunk := range chunks {
		if err := k.write(ctx, build, chunk); err != nil {
			return nil, err
		}
	}
	return &log, nil
}

func containerStarted(pod *corev1.Pod, name string) bool {
	for _, status := range containerStatuses(pod) {
		if status.Name == name {
			return status.State.Running != nil || status.State.Terminated != nil
		}
	}
	return false
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=pods/log,verbs=get

// read adds one container's lines. GET /api/v1/namespaces/{}/pods/{}/log
func (k logKeeper) read(ctx context.Context, tail *v1alpha1.LogTail, pod *corev1.Pod, container string) error {
	stream, err := k.pods.Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container, Timestamps: true}).Stream(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }() // only read
	lines := v1alpha1.NewLogReader(stream, tail.Last())
	for {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, v1alpha1.ErrUnfinishedLine) {
			return err
		}
		tail.Add(line)
		if err != nil {
			return nil
		}
	}
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=configmaps,verbs=create;update

func (k logKeeper) write(ctx context.Context, build *v1alpha1.Build, chunk v1alpha1.LogChunk) error {
	object := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       build.Namespace,
			Name:            chunk.Name,
			Labels:          objectLabels(build),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(build, v1alpha1.GroupVersion.WithKind("Build"))},
		},
		BinaryData: map[string][]byte{v1alpha1.LogKey: chunk.Data},
	}
	err := k.Create(ctx, object)
	if apierrors.IsAlreadyExists(err) {
		return k.Update(ctx, object)
	}
	return err
}
