package controller_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
)

// in is the world as a subtest sees it.
func (w *world) in(t *testing.T) *world {
	view := *w
	view.t = t
	return &view
}

// log is a build's kept log.
func (w *world) log(build *v1alpha1.Build) string {
	w.t.Helper()
	if build.Status.Log == nil {
		return ""
	}
	var text strings.Builder
	for _, name := range build.Status.Log.ConfigMaps {
		var kept corev1.ConfigMap
		if err := w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: build.Namespace, Name: name}, &kept); err != nil {
			w.t.Fatal(err)
		}
		for line, err := range v1alpha1.UnpackLog(kept.BinaryData[v1alpha1.LogKey]) {
			if err != nil {
				w.t.Fatal(err)
			}
			_, _ = fmt.Fprintln(&text, line.Text)
		}
	}
	return text.String()
}

func (w *world) latest(image *v1alpha1.Image) *v1alpha1.LatestBuild {
	w.t.Helper()
	var now v1alpha1.Image
	if err := w.kube.Get(w.t.Context(), client.ObjectKeyFromObject(image), &now); err != nil {
		w.t.Fatal(err)
	}
	return now.Status.LatestBuild
}

// settled checks what must hold of the account when all of its builds have ended:
// Stripe holds each one's seconds once, and no Job, pod or process of theirs is at
// work.
func (w *world) settled() {
	w.t.Helper()
	var sum int64
	for _, build := range w.builds() {
		build := w.await(&build, "billed", billed)
		if got, want := build.Status.Billing.Seconds, controller.Seconds(build); got != want {
			w.t.Errorf("build %s: billed %d seconds, it ran %d", build.Name, got, want)
		}
		sum += build.Status.Billing.Seconds
	}
	if got := w.metered(); got != sum {
		w.t.Errorf("Stripe holds %d seconds, the builds say %d", got, sum)
	}
	w.nothingRuns()
}

func (w *world) nothingRuns() {
	w.t.Helper()
	w.eventually("no Job, pod or process is at work", func() bool {
		var pods corev1.PodList
		if err := w.kube.List(w.t.Context(), &pods, client.InNamespace(w.namespace)); err != nil {
			w.t.Fatal(err)
		}
		atWork := slices.ContainsFunc(pods.Items, func(pod corev1.Pod) bool {
			return pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
		})
		return !atWork && len(w.jobs()) == 0 && len(processes(w.t, w.namespace)) == 0
	})
}

// processes are the ids of those whose environment names a build's destination in
// the namespace.
func processes(t *testing.T, namespace string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		environment, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(environment), "/"+namespace+"/") {
			found = append(found, filepath.Base(filepath.Dir(file)))
		}
	}
	return found
}

// jobs are the names of the account's Jobs that have not ended.
func (w *world) jobs() []string {
	w.t.Helper()
	var jobs batchv1.JobList
	if err := w.kube.List(w.t.Context(), &jobs, client.InNamespace(w.namespace)); err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, job := range jobs.Items {
		ended := slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
			return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed)
		})
		if !ended {
			names = append(names, job.Name)
		}
	}
	return names
}
