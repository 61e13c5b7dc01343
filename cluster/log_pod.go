package cluster

import (
	"context"
	"errors"
	"io"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/podlog"
)

// podSource is where a build's pod is read: podlog.Source.
type podSource struct {
	*Client
	build *build
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=pods,verbs=list

// Pod finds the pod of a build: the newest one that carries its label. LIST pods.
func (s podSource) Pod(ctx context.Context) (*corev1.Pod, error) {
	var pods corev1.PodList
	err := do(ctx, s.core.Get().Namespace(v1alpha1.Namespace(s.build.Key.Login)).Resource("pods").
		VersionedParams(&metav1.ListOptions{LabelSelector: v1alpha1.LabelBuild + "=" + s.build.Key.Name}, s.params), &pods)
	return podlog.Newest(pods.Items), err
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=pods/log,verbs=get

// Open opens the log of a container.
func (s podSource) Open(ctx context.Context, pod *corev1.Pod, options *corev1.PodLogOptions) (io.ReadCloser, error) {
	return s.open(ctx, s.core.Get().Namespace(pod.Namespace).Resource("pods").Name(pod.Name).SubResource("log").
		VersionedParams(options, s.params))
}

// podReader makes a reader of a build's pod from behind what is kept of its log; last is
// the number of the line before the first that it will give.
// Kubernetes: GET of the newest chunk's ConfigMap, where there is one.
func (c *Client) podReader(ctx context.Context, b *build) (reader *podlog.Reader, last int64, err error) {
	reader = &podlog.Reader{Source: podSource{c, b}, Log: c.log.With("build", b.path())}
	if b.log == nil || len(b.log.ConfigMaps) == 0 {
		return reader, 0, nil
	}
	chunk, err := c.chunk(ctx, b, len(b.log.ConfigMaps)-1)
	if err != nil {
		return nil, 0, err
	}
	lines, err := chunk.lines()
	if err != nil || len(lines) == 0 {
		return nil, 0, errors.Join(errors.New("the newest chunk of a kept log holds no lines"), err)
	}
	reader.At = podlog.MarkOf(chunk.container, lines)
	return reader, lines[len(lines)-1].Number, nil
}

// podLog hands out what a build's pod has printed behind what is kept, from a line on,
// until take has enough. Where the node has rotated lines away that are not kept yet,
// there is nothing: they come as soon as they are kept.
func (c *Client) podLog(ctx context.Context, b *build, next int64, take func(v1alpha1.LogLine) bool) error {
	reader, last, err := c.podReader(ctx, b)
	if err != nil || last >= next { // more is kept by now than was read of it: the next look finds it there
		return err
	}
	reader.Take = func(_ string, line v1alpha1.LogLine, _ bool) bool {
		last++
		line.Number = last
		return last < next || take(line)
	}
	err = reader.Read(ctx)
	if errors.Is(err, podlog.ErrMissing) || apierrors.IsNotFound(err) || apierrors.IsBadRequest(err) { // gone, or not quite there
		return nil
	}
	return translate(err)
}
