// Package podlog reads what the containers of a build's pod print, each line once and in
// order, also where the node rotates logs away while they are read.
//
// A kubelet gives out one file of a container's log, and begins another one when it has
// 10 MiB (https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation):
// then a line's place in what it gives out says nothing about its place in the log. So a
// place is a Mark, the last line itself: its time, in nanoseconds, and its text.
package podlog

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// ErrMissing tells that the marked line is not in what the node has any more: lines
// between it and the oldest one there may be missing.
var ErrMissing = errors.New("the node has rotated the log away from behind the line that was read last")

// How long to wait between looks, and for a line before a stream is taken for dead: a
// kubelet's stream may stay with a file that was rotated away.
const (
	pauseFirst   = 100 * time.Millisecond
	pauseLongest = 2 * time.Second
	silence      = 30 * time.Second
)

// Source is where a build's pod and its log are.
type Source interface {
	// Pod is the newest pod of the build, nil where there is none.
	Pod(ctx context.Context) (*corev1.Pod, error)
	// Open opens the log of a container: GET /api/v1/namespaces/{}/pods/{}/log.
	Open(ctx context.Context, pod *corev1.Pod, options *corev1.PodLogOptions) (io.ReadCloser, error)
}

// Newest is the pod that was created last; nil of none.
func Newest(pods []corev1.Pod) (newest *corev1.Pod) {
	for i := range pods {
		if newest == nil || newest.CreationTimestamp.Before(&pods[i].CreationTimestamp) {
			newest = &pods[i]
		}
	}
	return newest
}

// Mark is a place in a log: behind a line. The zero Mark is the start.
type Mark struct {
	// Container printed the line.
	Container string
	// Time and Text are the line's.
	Time time.Time
	Text string
	// Same is how many lines in a row up to this one have the same time and text.
	Same int
}

// MarkOf is the mark behind the last of these lines, which a container printed.
func MarkOf(container string, lines []v1alpha1.LogLine) Mark {
	mark := Mark{}
	for _, line := range lines {
		mark = mark.after(container, line)
	}
	return mark
}

func (m Mark) after(container string, line v1alpha1.LogLine) Mark {
	if m.is(line) && m.Container == container {
		m.Same++
		return m
	}
	return Mark{Container: container, Time: line.Time, Text: line.Text, Same: 1}
}

func (m Mark) is(line v1alpha1.LogLine) bool { return m.Time.Equal(line.Time) && m.Text == line.Text }

// Reader reads the log of one build from a mark on.
type Reader struct {
	Source Source
	// At is behind the last line that Take had.
	At Mark
	// Take gets the next line, without a number, and the container that printed it;
	// missing tells that lines before it may be missing. It returns false to end the reading.
	Take func(container string, line v1alpha1.LogLine, missing bool) bool
	// Idle, where given, is called when no further line is there just now.
	Idle func()
	// Seen tells that the pod was there: where it is not, it is gone, and not awaited.
	Seen bool
	// SkipMissing goes on behind missing lines; else they are ErrMissing.
	SkipMissing bool
	// Log is told of streams that broke off.
	Log *slog.Logger

	ended bool // Take wants no more
}

// Read hands out what was printed so far. Without a pod there is nothing.
func (r *Reader) Read(ctx context.Context) error {
	pod, err := r.Source.Pod(ctx)
	if err != nil || pod == nil {
		return err
	}
	for _, container := range r.containers(pod) {
		begun, ended := state(pod, container)
		if !begun {
			continue
		}
		rest, err := r.stream(ctx, pod, container, false)
		if rest != nil && ended && err == nil && !r.ended {
			r.take(container, *rest, false)
		}
		if err != nil || r.ended || !ended {
			return err
		}
	}
	return nil
}

// containers are those from the marked one on, in the order of v1alpha1.LogContainers.
func (r *Reader) containers(pod *corev1.Pod) []string {
	names := v1alpha1.LogContainers(&pod.Spec)
	for i, name := range names {
		if name == r.At.Container {
			return names[i:]
		}
	}
	return names
}

func (r *Reader) take(container string, line v1alpha1.LogLine, missing bool) {
	r.At = r.At.after(container, line)
	r.ended = !r.Take(container, line, missing)
}

// state tells whether a container of a pod has begun, and whether it has ended, or will
// never begin because the pod has ended.
func state(pod *corev1.Pod, name string) (begun, ended bool) {
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
