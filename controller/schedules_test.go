package controller_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
)

// hourly makes an image that is built every hour.
func (w *world) hourly(name string) *v1alpha1.Image {
	w.t.Helper()
	return w.image(name, func(image *v1alpha1.Image) { image.Spec.Triggers.Schedule = "@hourly" })
}

// seen is how far an image's schedule was followed; nil where nobody did.
func (w *world) seen(image *v1alpha1.Image) *v1alpha1.ScheduleStatus {
	w.t.Helper()
	if err := w.kube.Get(w.t.Context(), client.ObjectKeyFromObject(image), image); err != nil {
		w.t.Fatal(err)
	}
	if image.Status.Triggers == nil {
		return nil
	}
	return image.Status.Triggers.Schedule
}

// change patches an image by a merge patch; sub is "status" or empty.
func (w *world) change(image *v1alpha1.Image, sub, patch string) {
	w.t.Helper()
	change := client.RawPatch("application/merge-patch+json", []byte(patch))
	var err error
	if sub == "" {
		err = w.kube.Patch(w.t.Context(), image, change)
	} else {
		err = w.kube.SubResource(sub).Patch(w.t.Context(), image, change)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestSchedule follows a schedule over controllers that come and go, by a clock of its own.
// There is no strategy: builds are made, and wait.
func TestSchedule(t *testing.T) {
	w := newWorld(t)
	// Five minutes past the next hour, and so no run comes due while the test runs.
	var ahead atomic.Int64
	begin := time.Until(time.Now().Truncate(time.Hour).Add(time.Hour + 5*time.Minute))
	clock := func() time.Time { return time.Now().Add(begin + time.Duration(ahead.Load())) }
	run := func() (stop func()) {
		return w.run(func(o *controller.Options) {
			o.Now, o.Strategy, o.MinScheduleInterval = clock, "none", 5*time.Minute
		})
	}
	image := w.hourly("app")
	stop := run()
	w.eventually("the schedule is seen", func() bool { return w.seen(image) != nil })
	if at := w.seen(image); at.LastTime != nil || len(w.builds()) != 0 {
		t.Fatalf("a new schedule made up for times before it: %+v", at)
	}
	stop()

	ahead.Store(int64(5 * time.Hour)) // nobody was there for five runs
	stop = run()
	w.eventually("what was missed is made up for", func() bool { at := w.seen(image); return at != nil && at.LastTime != nil })
	stop()
	last := w.seen(image).LastTime
	builds := w.builds()
	if len(builds) != 1 || builds[0].Spec.Trigger != v1alpha1.TriggerSchedule || !builds[0].Spec.TriggerTime.Equal(last) || builds[0].Spec.Number != 1 ||
		builds[0].Spec.Customer != w.customer || !strings.HasPrefix(builds[0].Spec.TriggeredBy, "schedule @hourly, of ") {
		t.Fatalf("five runs were missed, the last at %s: %+v", last, builds)
	}
	if late := clock().Sub(last.Time); late < 0 || late > time.Hour {
		t.Errorf("the run is of %s, not of the newest time that was missed", last)
	}

	// One died after it had made the build, and before it wrote that down.
	w.change(image, "status", `{"status":{"triggers":{"schedule":{"lastTime":null}}}}`)
	stop = run()
	w.eventually("it is written down", func() bool { return w.seen(image).LastTime != nil })
	stop()
	if builds = w.builds(); len(builds) != 1 {
		t.Fatalf("one run became %d builds", len(builds))
	}

	// Suspended: no run, and none to make up for.
	w.change(image, "", `{"spec":{"suspended":true}}`)
	ahead.Store(int64(10 * time.Hour))
	stop = run()
	w.eventually("the schedule rests", func() bool { return w.seen(image) == nil })
	w.change(image, "", `{"spec":{"suspended":false}}`)
	w.eventually("the schedule goes on", func() bool { return w.seen(image) != nil })
	if at := w.seen(image); at.LastTime != nil || len(w.builds()) != 1 {
		t.Errorf("what came due while it was suspended was made up for: %+v", at)
	}
	// Another line begins anew; one that is too frequent is told of.
	w.change(image, "", `{"spec":{"triggers":{"schedule":"* * * * *"}}}`)
	w.eventually("it is said to be too frequent", func() bool {
		at := w.seen(image)
		return at != nil && strings.Contains(at.Message, "takes 5m0s and more")
	})
	w.change(image, "", `{"spec":{"triggers":{"schedule":"0 0 30 2 *"}}}`)
	w.eventually("it is said never to come", func() bool { at := w.seen(image); return at != nil && strings.Contains(at.Message, "never comes") })
	w.change(image, "", `{"spec":{"triggers":{"schedule":null}}}`)
	w.eventually("nothing is left of it", func() bool { return w.seen(image) == nil })
	stop()
}

// unpaid is a billing that lets no build begin.
type unpaid struct{ controller.Billing }

func (unpaid) Hold(context.Context, string) (string, error) { return "Pay first.", nil }

// TestScheduleLeftOut: where the account may not build, the image says so.
func TestScheduleLeftOut(t *testing.T) {
	w := newWorld(t)
	var ahead atomic.Int64
	image := w.hourly("app")
	run := func() (stop func()) {
		return w.run(func(o *controller.Options) {
			o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			o.Strategy, o.Billing = "none", unpaid{w.billing}
		})
	}
	stop := run()
	w.eventually("the schedule is seen", func() bool { return w.seen(image) != nil })
	stop()
	ahead.Store(int64(2 * time.Hour))
	run()
	w.eventually("the image says why", func() bool {
		at := w.seen(image)
		return at != nil && at.LastTime != nil && strings.Contains(at.Message, "was left out: Pay first.")
	})
	if builds := w.builds(); len(builds) != 0 {
		t.Errorf("%d builds of an account that may not build", len(builds))
	}
}
