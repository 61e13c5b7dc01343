package podlog

import (
	"context"
	"errors"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// errSilent ends a stream that gave no line for long.
var errSilent = errors.New("no line came")

// stream hands out the lines of one container behind the mark; with follow, those too
// that come until it ends. rest is what follows the last line's end: a line if the
// container has ended, else a part of one.
func (r *Reader) stream(ctx context.Context, pod *corev1.Pod, container string, follow bool) (rest *v1alpha1.LogLine, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	place := seek{mark: r.At, found: r.At.Container != container}
	options := &corev1.PodLogOptions{Container: container, Follow: follow, Timestamps: true}
	if !place.found {
		since := metav1.NewTime(r.At.Time.Truncate(time.Second)) // it travels in whole seconds
		options.SinceTime = &since
	}
	body, err := r.Source.Open(ctx, pod, options)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }() // only read
	quiet := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer quiet.Stop()
	lines := v1alpha1.NewLogReader(body, 0)
	for {
		line, err := lines.Next()
		quiet.Reset(silence)
		unfinished := errors.Is(err, v1alpha1.ErrUnfinishedLine)
		switch {
		case err == nil:
			found, missing := place.next(line)
			if err := r.takeAll(container, found, missing); err != nil || r.ended {
				return nil, err
			}
		case unfinished || errors.Is(err, io.EOF):
			found, missing := place.end()
			if err := r.takeAll(container, found, missing); err != nil || r.ended || !unfinished {
				return nil, err
			}
			if place.found || line.Time.After(r.At.Time) {
				return &line, nil
			}
			return nil, nil
		case errors.Is(context.Cause(ctx), errSilent):
			return nil, errSilent
		default:
			return nil, err
		}
		if r.Idle != nil && lines.Buffered() == 0 {
			r.Idle()
		}
	}
}

func (r *Reader) takeAll(container string, lines []v1alpha1.LogLine, missing bool) error {
	if missing && !r.SkipMissing {
		return ErrMissing
	}
	for i, line := range lines {
		if r.take(container, line, missing && i == 0); r.ended {
			return nil
		}
	}
	return nil
}

// How far times may be out of order: a container's two outputs are stamped one beside
// the other.
const (
	disorder  = 100 * time.Millisecond
	certainty = time.Second
)

// seek looks for a mark in the lines of one container, the oldest of which may be gone.
type seek struct {
	mark   Mark
	found  bool
	begun  bool
	same   int
	behind []v1alpha1.LogLine // by their times
}

// next takes a line, and gives those that are known to be behind the mark by it; missing
// when the mark is not there.
func (s *seek) next(line v1alpha1.LogLine) (found []v1alpha1.LogLine, missing bool) {
	if s.found {
		return []v1alpha1.LogLine{line}, false
	}
	first := !s.begun
	s.begun = true
	ahead := line.Time.Sub(s.mark.Time)
	switch {
	case s.mark.is(line):
		if s.same++; s.same >= s.mark.Same {
			s.found, s.behind = true, nil
		}
		return nil, false
	case ahead <= 0:
		return nil, false
	}
	s.behind = append(s.behind, line)
	if ahead > certainty || first && ahead > disorder {
		return s.end()
	}
	return nil, false
}

// end gives what is behind the mark where no further line comes.
func (s *seek) end() (found []v1alpha1.LogLine, missing bool) {
	if s.found || len(s.behind) == 0 {
		return nil, false
	}
	found, s.behind, s.found = s.behind, nil, true
	return found, true
}
