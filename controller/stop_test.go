package controller_test

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// TestBuildIsStopped ends running builds from outside in every way, and queued ones.
func TestBuildIsStopped(t *testing.T) {
	w := newWorld(t)
	w.run()
	sleep := w.git.runs("sleep", `["/helper", "sleep", "60000"]`)

	cases := []struct {
		reason  string
		name    string
		stop    func(*world, *v1alpha1.Image, *v1alpha1.Build)
		phase   v1alpha1.BuildPhase
		want    string
		message string
	}{
		{reason: "it is cancelled", name: "cancel", phase: v1alpha1.PhaseCancelled, want: v1alpha1.ReasonCancelled, message: "was cancelled",
			stop: func(w *world, _ *v1alpha1.Image, build *v1alpha1.Build) { w.cancel(build) }},
		{reason: "its image is deleted", name: "image", phase: v1alpha1.PhaseCancelled, want: v1alpha1.ReasonCancelled, message: "image image was deleted",
			stop: func(w *world, image *v1alpha1.Image, _ *v1alpha1.Build) { w.delete(image) }},
		{reason: "its pod is deleted", name: "pod", phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonInfrastructure, message: "pod was",
			stop: func(w *world, _ *v1alpha1.Image, build *v1alpha1.Build) { w.delete(w.pod(build)) }},
		{reason: "its pod is deleted by force", name: "force", phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonInfrastructure, message: "pod was",
			stop: func(w *world, _ *v1alpha1.Image, build *v1alpha1.Build) {
				w.delete(w.pod(build), client.GracePeriodSeconds(0))
			}},
		{reason: "its Job is deleted", name: "job", phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonInfrastructure, message: "Job was deleted",
			stop: func(w *world, _ *v1alpha1.Image, build *v1alpha1.Build) {
				w.delete(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: build.Namespace, Name: build.Name}}, client.PropagationPolicy("Background"))
			}},
		{reason: "its Job is deleted and the pod left alone", name: "orphan", phase: v1alpha1.PhaseFailed, want: v1alpha1.ReasonInfrastructure, message: "Job was deleted",
			stop: func(w *world, _ *v1alpha1.Image, build *v1alpha1.Build) {
				w.delete(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: build.Namespace, Name: build.Name}}, client.PropagationPolicy("Orphan"))
			}},
	}
	t.Run("each", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.reason, func(t *testing.T) {
				t.Parallel()
				w := w.in(t)
				image := w.image(c.name, func(image *v1alpha1.Image) { image.Spec.Source.Repository = sleep })
				build := w.await(w.build(image, 1), "building", building)
				w.eventually("the step runs", func() bool { return strings.Contains(w.podLog(build), "sleeping 60000") })
				c.stop(w, image, build)
				build = w.await(build, "billed", billed)
				status := build.Status
				if status.Phase != c.phase || status.Reason != c.want || !strings.Contains(status.Message, c.message) {
					t.Errorf("got %s, %s, %q; want %s, %s, %q", status.Phase, status.Reason, status.Message, c.phase, c.want, c.message)
				}
				if c.want == v1alpha1.ReasonInfrastructure {
					again := w.await(w.again(build), "building", building)
					if again.Spec.Trigger != v1alpha1.TriggerRetry || again.Spec.Number <= build.Spec.Number || again.Spec.Commit != status.Commit || status.Billing.Seconds != 0 {
						t.Errorf("started again as %+v, of %+v", again.Spec, status)
					}
					w.eventually("the step runs again", func() bool { return strings.Contains(w.podLog(again), "sleeping 60000") })
					c.stop(w, image, again)
					again = w.await(again, "billed", billed)
					if again.Status.Reason != c.want || !strings.Contains(again.Status.Message, "Start the build again.") || again.Status.Billing.Seconds != 0 {
						t.Errorf("the second time: %+v", again.Status)
					}
				}
				if c.want == v1alpha1.ReasonCancelled && !strings.Contains(w.log(build), "sleeping 60000") {
					t.Errorf("the kept log lacks the step that ran: %q", w.log(build))
				}
			})
		}
	})
	w.settled()
	for _, build := range w.builds() {
		if of := build.Annotations[v1alpha1.AnnotationRetryOf]; strings.HasPrefix(of, "again") || len(w.builds()) != len(cases)+4 {
			t.Errorf("%d builds, of which %s starts %s again", len(w.builds()), build.Name, of)
		}
	}
}

// TestPendingBuildIsStopped: a build whose pod found no node is cancelled like any other.
func TestPendingBuildIsStopped(t *testing.T) {
	w := newWorld(t)
	w.run()
	build := w.build(w.image("app"), 1, func(b *v1alpha1.Build) { b.Spec.Limits.CPU = resource.MustParse("8000") })
	w.await(build, "pending", func(b *v1alpha1.Build) bool {
		return b.Status.Reason == v1alpha1.ReasonPending && strings.Contains(b.Status.Message, "Insufficient cpu")
	})
	w.cancel(build)
	if status := w.await(build, "ended", ended).Status; status.Phase != v1alpha1.PhaseCancelled || status.Log != nil && status.Log.Lines > 0 {
		t.Errorf("status %+v", status)
	}
	w.settled()
}

// TestQueuedBuildIsStopped: a build that waits ends at once, without a Job.
func TestQueuedBuildIsStopped(t *testing.T) {
	w := newWorld(t)
	w.run()
	one := func(b *v1alpha1.Build) { b.Spec.Limits.ConcurrentBuilds = 1 }
	sleep := w.image("sleep", func(image *v1alpha1.Image) {
		image.Spec.Source.Repository = w.git.runs("sleep", `["/helper", "sleep", "60000"]`)
	})
	doomed := w.image("doomed")
	first := w.await(w.build(sleep, 1, one), "building", building)
	cancelled, orphaned := w.build(sleep, 2, one), w.build(doomed, 3, one)
	w.await(cancelled, "queued", queued)
	w.await(orphaned, "queued", queued)
	w.cancel(cancelled)
	w.delete(doomed)
	for _, build := range []*v1alpha1.Build{cancelled, orphaned} {
		status := w.await(build, "billed", billed).Status
		if status.Phase != v1alpha1.PhaseCancelled || status.StartTime != nil || status.Billing.Seconds != 0 {
			t.Errorf("build %s: %+v", build.Name, status)
		}
	}
	w.cancel(first)
	w.await(first, "ended", ended)
	w.settled()
}

// TestDeletedBuildIsMetered: kubectl delete of a running build ends it, and what it
// ran is told to Stripe before it goes.
func TestDeletedBuildIsMetered(t *testing.T) {
	w := newWorld(t)
	w.run()
	image := w.image("app", func(image *v1alpha1.Image) {
		image.Spec.Source.Repository = w.git.runs("sleep", `["/helper", "sleep", "60000"]`)
	})
	build := w.await(w.build(image, 1), "building", building)
	began := build.Status.StartTime.Time
	w.eventually("the build has run for a second", func() bool { return time.Since(began) > 2*time.Second })
	w.delete(build)
	w.eventually("the build is gone", func() bool {
		return apierrors.IsNotFound(w.kube.Get(t.Context(), client.ObjectKeyFromObject(build), build))
	})
	if got, most := w.metered(), int64(time.Since(began)/time.Second)+1; got < 1 || got > most {
		t.Errorf("Stripe holds %d seconds of a build that began at most %d ago", got, most)
	}
	w.nothingRuns()
}

// pod is a build's one pod.
func (w *world) pod(build *v1alpha1.Build) *corev1.Pod {
	w.t.Helper()
	var pods corev1.PodList
	err := w.kube.List(w.t.Context(), &pods, client.InNamespace(build.Namespace), client.MatchingLabels{v1alpha1.LabelBuild: build.Name})
	if err != nil || len(pods.Items) != 1 {
		w.t.Fatalf("%d pods, %v", len(pods.Items), err)
	}
	return &pods.Items[0]
}

// podLog is what a build's pod printed so far.
func (w *world) podLog(build *v1alpha1.Build) string {
	w.t.Helper()
	text, err := w.typed.CoreV1().Pods(build.Namespace).GetLogs(w.pod(build).Name, &corev1.PodLogOptions{}).DoRaw(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}
