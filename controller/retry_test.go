package controller_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// again waits for the build that starts another one again by itself.
func (w *world) again(build *v1alpha1.Build) *v1alpha1.Build {
	w.t.Helper()
	var found *v1alpha1.Build
	w.eventually("it is started again", func() bool {
		for _, one := range w.builds() {
			if one.Annotations[v1alpha1.AnnotationRetryOf] == build.Name {
				found = &one
			}
		}
		return found != nil
	})
	return found
}

// lose makes a build one that failed at some time, for some reason.
func (w *world) lose(build *v1alpha1.Build, reason string, ago time.Duration) {
	w.t.Helper()
	build.Status.Phase, build.Status.Reason = v1alpha1.PhaseFailed, reason
	build.Status.CompletionTime = &metav1.Time{Time: time.Now().Add(-ago)}
	if err := w.kube.Status().Update(w.t.Context(), build); err != nil {
		w.t.Fatal(err)
	}
}

// TestRetryDiesAfterAnyWrite: a controller that starts a build again may die after any of
// its writes; the build is started again once.
func TestRetryDiesAfterAnyWrite(t *testing.T) {
	w := newWorld(t)
	for writes := int64(1); writes <= 4; writes++ {
		image := w.image("app" + string(rune('a'+writes)))
		build := w.build(image, 7)
		w.lose(build, v1alpha1.ReasonInfrastructure, time.Second)
		dying, died := w.runUntil(writes)
		w.eventually("the controller dies", func() bool {
			select {
			case <-died:
				return true
			default:
				return false
			}
		})
		dying()
		stop := w.run()
		again := w.await(w.again(build), "billed", billed)
		if again.Status.Phase != v1alpha1.PhaseSucceeded || again.Spec.Number <= 7 || again.Status.Billing.Seconds == 0 {
			t.Errorf("after write %d: started again as number %d: %+v", writes, again.Spec.Number, again.Status)
		}
		if build = w.await(build, "billed", billed); build.Status.Billing.Seconds != 0 {
			t.Errorf("after write %d: the lost build was billed %d seconds", writes, build.Status.Billing.Seconds)
		}
		stop()
	}
	if builds := w.builds(); len(builds) != 8 {
		t.Errorf("%d builds, want 4 that were lost and 4 that were started again", len(builds))
	}
}

// TestRetriesNothingElse: what fails by its owner's fault, long ago, or of an image that
// is suspended or gone is not started again.
func TestRetriesNothingElse(t *testing.T) {
	w := newWorld(t)
	suspended := w.image("suspended", func(image *v1alpha1.Image) { image.Spec.Suspended = true })
	gone := w.image("gone")
	app := w.image("app")
	w.lose(w.build(app, 1), v1alpha1.ReasonBuildFailed, time.Second)
	w.lose(w.build(app, 2), v1alpha1.ReasonOutOfMemory, time.Second)
	w.lose(w.build(app, 3), v1alpha1.ReasonInfrastructure, time.Hour)
	w.lose(w.build(suspended, 1), v1alpha1.ReasonInfrastructure, time.Second)
	w.lose(w.build(gone, 1), v1alpha1.ReasonInfrastructure, time.Second)
	w.delete(gone)
	second := w.build(app, 4, func(b *v1alpha1.Build) { b.Annotations = map[string]string{v1alpha1.AnnotationRetryOf: "app-3"} })
	w.lose(second, v1alpha1.ReasonInfrastructure, time.Second)
	due := w.build(app, 5)
	w.lose(due, v1alpha1.ReasonInfrastructure, time.Second)
	w.run()
	w.await(w.again(due), "billed", billed)
	if builds := w.builds(); len(builds) != 8 {
		t.Errorf("%d builds, want the 7 that failed and the one that is started again", len(builds))
	}
}
