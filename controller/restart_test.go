package controller_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
)

// TestDiesAfterAnyWrite lets the controller die after its first write, then after its
// second, and so on: the API server did it, the controller never heard. Another one
// takes over each time, and the build must end right, be metered once, and leave
// nothing behind.
func TestDiesAfterAnyWrite(t *testing.T) {
	cases := []struct {
		reason  string
		seconds string
		cancel  bool
		want    v1alpha1.BuildPhase
	}{
		{reason: "a build that succeeds", seconds: "0.7", want: v1alpha1.PhaseSucceeded},
		{reason: "a build that is cancelled while it runs", seconds: "600", cancel: true, want: v1alpha1.PhaseCancelled},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t)
			w.shellStrategy("dies", `
echo "a line to keep"
sleep "$DRYDOCK_ARG_SECONDS"
printf '{"digest":"sha256:%064d","tags":["%s"]}' 1 "$DRYDOCK_TAGS" >"$TERMINATION_LOG_PATH"
`)
			quick := func(o *controller.Options) { o.Strategy = "dies" }
			image := w.image("app", func(image *v1alpha1.Image) {
				image.Spec.BuildArgs = []v1alpha1.BuildArg{{Key: "SECONDS", Value: c.seconds}}
			})
			for writes := int64(1); ; writes++ {
				dying, died := w.runUntil(writes, quick)
				build := w.build(image, writes)
				following := func() {
					if c.cancel {
						w.await(build, "building", func(b *v1alpha1.Build) bool { return building(b) || ended(b) })
						w.cancel(build)
					}
				}
				survived := w.step(died, build, c.cancel)
				dying()
				if !survived {
					stop := w.run(quick)
					following()
					w.await(build, "billed", billed)
					stop()
				}
				if status := w.await(build, "billed", billed).Status; status.Phase != c.want {
					t.Fatalf("after write %d: %+v", writes, status)
				}
				if survived {
					t.Logf("a build takes %d writes", writes-1)
					break
				}
			}
			stop := w.run(quick)
			w.settled()
			stop()
		})
	}
}

// step brings a build to its end under a controller that may die; it tells whether
// the controller lived.
func (w *world) step(died <-chan struct{}, build *v1alpha1.Build, cancel bool) (survived bool) {
	w.t.Helper()
	asked := false
	w.eventually("the build ends or the controller dies", func() bool {
		select {
		case <-died:
			return true
		default:
		}
		now := w.await(build, "there", func(*v1alpha1.Build) bool { return true })
		if cancel && !asked && building(now) {
			w.cancel(build)
			asked = true
		}
		survived = billed(now) && len(w.jobs()) == 0
		return survived
	})
	return survived
}

// runUntil runs a controller that is cut off from the API server once it has written
// so many times; the last write is done, its answer lost.
func (w *world) runUntil(writes int64, change ...func(*controller.Options)) (stop func(), died <-chan struct{}) {
	w.t.Helper()
	dead, kill := context.WithCancel(context.Background())
	w.t.Cleanup(kill)
	cut := w.controllerConfig()
	cut.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &mortal{next: next, writes: writes, dead: dead, kill: kill}
	})
	return w.run(append(change, func(o *controller.Options) { o.Config = cut })...), dead.Done()
}

// mortal is a connection that is lost for good after a number of writes.
type mortal struct {
	next   http.RoundTripper
	writes int64
	made   atomic.Int64
	dead   context.Context
	kill   context.CancelFunc
}

var errDead = errors.New("the controller is dead")

func (m *mortal) RoundTrip(request *http.Request) (*http.Response, error) {
	if m.dead.Err() != nil {
		return nil, errDead
	}
	if request.Method == http.MethodGet {
		return m.next.RoundTrip(request)
	}
	made := m.made.Add(1)
	if made > m.writes {
		return nil, errDead
	}
	response, err := m.next.RoundTrip(request)
	if made == m.writes {
		m.kill()
		if err == nil {
			err = errors.Join(errDead, response.Body.Close())
		}
		return nil, err
	}
	return response, err
}
