package controller_test

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
)

// TestAway: a build ends while no controller runs. Nothing but a controller lets its
// Job and pod go, so the one that comes back hours later ends the build as its pod
// said, has it billed, and clears up; one that comes within ten minutes leaves both.
func TestAway(t *testing.T) {
	w := newWorld(t)
	image := w.image("app", func(image *v1alpha1.Image) {
		image.Spec.Source.Repository = w.git.runs("app", `["/helper", "sleep", "1500"]`)
	})
	later := func(d time.Duration) func(*controller.Options) {
		return func(o *controller.Options) { o.Now = func() time.Time { return time.Now().Add(d) } }
	}
	stop := w.run()
	build := w.await(w.build(image, 1), "building", building)
	stop()
	var job batchv1.Job
	w.eventually("its Job has ended", func() bool {
		if err := w.kube.Get(t.Context(), client.ObjectKeyFromObject(build), &job); err != nil {
			t.Fatal(err)
		}
		return len(w.jobs()) == 0
	})
	if ttl := job.Spec.TTLSecondsAfterFinished; ttl != nil {
		t.Errorf("the Job goes by itself after %d s, and takes with it how the build ended", *ttl)
	}
	left := func() int {
		var jobs batchv1.JobList
		var pods corev1.PodList
		for _, list := range []client.ObjectList{&jobs, &pods} {
			if err := w.kube.List(t.Context(), list, client.InNamespace(w.namespace)); err != nil {
				t.Fatal(err)
			}
		}
		return len(jobs.Items) + len(pods.Items)
	}

	stop = w.run(later(5 * time.Minute))
	status := w.await(build, "billed", billed).Status
	if status.Phase != v1alpha1.PhaseSucceeded || status.Digest == "" || status.Billing.Seconds == 0 {
		t.Errorf("after 5 minutes: %+v", status)
	}
	// A build of the same account goes all the way meanwhile: the first one was looked at.
	unhurried := func(b *v1alpha1.Build) { b.Spec.Limits.TimeoutSeconds = 3600 } // the clock is 5 minutes ahead of its pod's
	w.await(w.build(image, 2, unhurried), "billed", billed)
	if got := left(); got != 4 {
		t.Errorf("after 5 minutes %d Jobs and pods are there, want those of both builds", got)
	}
	stop()
	w.run(later(3 * time.Hour))
	w.eventually("Jobs and pods are gone", func() bool { return left() == 0 })
	w.settled()
}
