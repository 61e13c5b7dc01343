package podlog

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Follow hands out what was printed, then what comes, until every container has ended or
// the pod is gone, Take wants no more, or the context ends. A broken stream is opened
// again behind the last line. It fails with ErrMissing alone.
func (r *Reader) Follow(ctx context.Context) error {
	pod := r.await(ctx)
	if pod == nil {
		return nil
	}
	for _, container := range r.containers(pod) {
		gone, err := r.followContainer(ctx, &pod, container)
		if err != nil || gone || r.ended {
			return err
		}
	}
	return nil
}

// await waits for the pod; nil when it is gone, or the context ended.
func (r *Reader) await(ctx context.Context) *corev1.Pod {
	for wait := pauseFirst; ctx.Err() == nil; wait = min(2*wait, pauseLongest) {
		pod, err := r.Source.Pod(ctx)
		if err == nil && (pod != nil || r.Seen) {
			return pod
		}
		if err != nil && ctx.Err() == nil {
			r.Log.Warn("looking for a build's pod", "error", err, "retry", wait)
		}
		pause(ctx, wait)
	}
	return nil
}

// followContainer reads one container until it has ended and all of it was read; gone
// tells that the pod is no more.
func (r *Reader) followContainer(ctx context.Context, pod **corev1.Pod, container string) (gone bool, err error) {
	for wait := pauseFirst; ctx.Err() == nil; wait = min(2*wait, pauseLongest) {
		begun, ended := state(*pod, container)
		if ended && !begun {
			return false, nil
		}
		var done bool
		if begun {
			done, err = r.once(ctx, *pod, container, !ended)
			if errors.Is(err, ErrMissing) || r.ended || done {
				return false, err
			}
			if err == nil {
				wait = pauseFirst
			} else if ctx.Err() == nil && !errors.Is(err, errSilent) {
				r.Log.Warn("a build's log broke off", "pod", (*pod).Name, "container", container, "error", err, "retry", wait)
			}
		}
		now, lost := r.Source.Pod(ctx)
		if lost == nil && (now == nil || now.UID != (*pod).UID) {
			return true, nil
		}
		if lost == nil {
			*pod = now
		}
		if _, nowEnded := state(*pod, container); begun && nowEnded && err == nil {
			continue // the rest is read at once
		}
		pause(ctx, wait)
	}
	return true, nil
}

// once reads a container's stream to its end. done tells that the container had ended
// before, so that this was all.
func (r *Reader) once(ctx context.Context, pod *corev1.Pod, container string, follow bool) (done bool, err error) {
	rest, err := r.stream(ctx, pod, container, follow)
	if err != nil || follow || r.ended {
		return false, err
	}
	if rest != nil {
		r.take(container, *rest, false)
	}
	return true, nil
}

func pause(ctx context.Context, long time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(long):
	}
}
