package controller_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// TestSuperseded holds which builds a burst leaves: while one runs, the newest of each
// lane waits, and what people asked for.
func TestSuperseded(t *testing.T) {
	w := newWorld(t)
	base := time.Now().Truncate(time.Second)
	image, other := w.image("app"), w.image("other")
	blocker := w.image("blocker", func(image *v1alpha1.Image) {
		image.Spec.Source.Repository = w.git.runs("sleep", `["/helper", "sleep", "600000"]`)
	})
	one := func(b *v1alpha1.Build) { b.Spec.Limits.ConcurrentBuilds = 1 }
	first := w.build(blocker, 1, one)
	w.run()
	w.await(first, "building", building)
	cases := []struct {
		reason  string
		image   *v1alpha1.Image
		trigger v1alpha1.BuildTrigger
		ref     string
		after   int // seconds
		stays   bool
	}{
		{"a burst's first push", image, v1alpha1.TriggerPush, "main", 1, false},
		{"its newest push, though it was told of before the next", image, v1alpha1.TriggerPush, "main", 3, true},
		{"an earlier push, told of late", image, v1alpha1.TriggerPush, "main", 2, false},
		{"another branch", image, v1alpha1.TriggerPush, "release", 1, true},
		{"another image", other, v1alpha1.TriggerPush, "main", 1, true},
		{"what somebody asked for", image, v1alpha1.TriggerManual, "main", 0, true},
		{"and asked for again", image, v1alpha1.TriggerManual, "main", 0, true},
		{"a run of the schedule", image, v1alpha1.TriggerSchedule, "main", 1, false},
		{"its next run", image, v1alpha1.TriggerSchedule, "main", 60, true},
	}
	builds := make([]*v1alpha1.Build, len(cases))
	for i, c := range cases {
		builds[i] = w.build(c.image, int64(i+1), one, func(b *v1alpha1.Build) {
			b.Spec.Trigger, b.Spec.Source.Ref = c.trigger, c.ref
			if c.after > 0 {
				b.Spec.TriggerTime = &metav1.Time{Time: base.Add(time.Duration(c.after) * time.Second)}
			}
		})
	}
	for i, c := range cases {
		if c.stays {
			w.await(builds[i], "waiting: "+c.reason, queued)
			continue
		}
		status := w.await(builds[i], "superseded: "+c.reason, ended).Status
		if status.Phase != v1alpha1.PhaseCancelled || status.Reason != v1alpha1.ReasonSuperseded || !strings.Contains(status.Message, "takes its place") || status.StartTime != nil {
			t.Errorf("%s: %+v", c.reason, status)
		}
	}
	w.cancel(builds[1])
	w.await(builds[1], "cancelled", ended)
	for i, c := range cases {
		if c.stays && i != 1 {
			w.cancel(builds[i])
			w.await(builds[i], "cancelled", ended)
		}
	}
	w.cancel(first)
	w.await(first, "ended", ended)
	w.settled()
}

// TestSupersededPlace: the newest push has the place in the queue of the first that waited,
// before what somebody asked for in between.
func TestSupersededPlace(t *testing.T) {
	w := newWorld(t)
	one := func(b *v1alpha1.Build) { b.Spec.Limits.ConcurrentBuilds = 1 }
	push := func(b *v1alpha1.Build) { b.Spec.Trigger = v1alpha1.TriggerPush }
	blocker := w.build(w.image("blocker", func(image *v1alpha1.Image) {
		image.Spec.Source.Repository = w.git.runs("sleep", `["/helper", "sleep", "600000"]`)
	}), 1, one)
	w.run()
	w.await(blocker, "building", building)
	image := w.image("app")
	first := w.await(w.build(image, 1, one, push), "queued", queued)
	w.eventually("the next builds are of a later second", func() bool { return time.Since(first.CreationTimestamp.Time) > 2*time.Second })
	between, newest := w.build(w.image("other"), 1, one), w.build(image, 2, one, push)
	w.await(first, "superseded", ended)
	w.cancel(blocker)
	newest, between = w.await(newest, "billed", billed), w.await(between, "billed", billed)
	if between.Status.StartTime.Before(newest.Status.CompletionTime) {
		t.Errorf("the newest push was built until %s, what came in between from %s on", newest.Status.CompletionTime, between.Status.StartTime)
	}
	w.settled()
}
