package cluster

import (
	"context"
	"errors"
	"io"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=pods,verbs=list

// pod finds the pod of a build: the newest one that carries its label; nil before
// there is one and after it is gone.
func (c *Client) pod(ctx context.Context, b *build) (*corev1.Pod, error) {
	var pods corev1.PodList
	err := do(ctx, c.core.Get().Namespace(v1alpha1.Namespace(b.Key.Login)).Resource("pods").
		VersionedParams(&metav1.ListOptions{LabelSelector: v1alpha1.LabelBuild + "=" + b.Key.Name}, c.params), &pods)
	var newest *corev1.Pod
	for i := range pods.Items {
		if pod := &pods.Items[i]; newest == nil || newest.CreationTimestamp.Before(&pod.CreationTimestamp) {
			newest = pod
		}
	}
	return newest, err
}

// containerState tells whether a container of a pod has begun, and whether it has
// ended, or will never begin because the pod has ended.
func containerState(pod *corev1.Pod, name string) (begun, ended bool) {
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for _, status := range statuses {
			if status.Name == name {
				begun = status.State.Running != nil || status.State.Terminated != nil
				ended = status.State.Terminated != nil
			}
		}
	}
	return begun, ended || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// podLogs hands out what a build's pod has printed so far, from a line on, until take
// has enough. Without a pod there is nothing.
func (c *Client) podLogs(ctx context.Context, b *build, next int64, take func(v1alpha1.LogLine) bool) error {
	pod, err := c.pod(ctx, b)
	if err != nil || pod == nil {
		return err
	}
	more := true
	last := int64(0)
	for _, container := range v1alpha1.LogContainers(&pod.Spec) {
		begun, ended := containerState(pod, container)
		if !begun {
			continue
		}
		rest, err := c.containerLog(ctx, pod, container, false, last, func(line v1alpha1.LogLine) bool {
			last = line.Number
			more = line.Number < next || take(line)
			return more
		})
		if ended && rest != nil && more {
			last = rest.Number
			more = last < next || take(*rest)
		}
		if apierrors.IsNotFound(err) || apierrors.IsBadRequest(err) { // gone, or not quite there
			return nil
		}
		if err != nil || !more || !ended {
			return err
		}
	}
	return nil
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=pods/log,verbs=get

// containerLog hands out the lines of one container, numbered after last, until take
// has enough; with follow, those too that come until it ends. rest is what follows the
// last line's end: a line if the container has ended, else a part of one.
func (c *Client) containerLog(ctx context.Context, pod *corev1.Pod, container string, follow bool, last int64, take func(v1alpha1.LogLine) bool) (rest *v1alpha1.LogLine, err error) {
	stream, err := c.open(ctx, c.core.Get().Namespace(pod.Namespace).Resource("pods").Name(pod.Name).SubResource("log").
		VersionedParams(&corev1.PodLogOptions{Container: container, Follow: follow, Timestamps: true}, c.params))
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }() // only read
	lines := v1alpha1.NewLogReader(stream, last)
	for {
		line, err := lines.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case errors.Is(err, v1alpha1.ErrUnfinishedLine):
			return &line, nil
		case err != nil:
			return nil, translate(err)
		case !take(line):
			return nil, nil
		}
	}
}
