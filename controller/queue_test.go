package controller_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
)

// TestQueue starts an account's builds first come, first served, never more at once
// than the plan allows, while many workers decide; other accounts do not wait for it.
func TestQueue(t *testing.T) {
	const places, count = 2, 10
	w := newWorld(t)
	image := w.image("app", func(image *v1alpha1.Image) {
		image.Spec.Source.Repository = w.git.runs("sleep", `["/helper", "sleep", "300"]`)
	})
	most, stop := w.watchRunning()
	defer stop()
	w.run(func(o *controller.Options) { o.Workers = 16 })
	var want []string
	for number := range int64(count) {
		build := w.build(image, number+1, func(b *v1alpha1.Build) { b.Spec.Limits.ConcurrentBuilds = places })
		want = append(want, build.Name)
	}
	other := *w
	other.newAccount()
	free := other.await(other.build(other.image("free"), 1), "ended", ended)

	builds := w.builds()
	for i := range builds {
		builds[i] = *w.await(&builds[i], "ended", ended)
		if builds[i].Status.Phase != v1alpha1.PhaseSucceeded {
			t.Errorf("build %s: %+v", builds[i].Name, builds[i].Status)
		}
	}
	slices.SortFunc(builds, func(a, b v1alpha1.Build) int {
		return cmp.Or(a.Status.StartTime.Compare(b.Status.StartTime.Time), cmp.Compare(a.Spec.Number, b.Spec.Number))
	})
	// Builds that hold places at once may see their pods start in any order.
	for i, build := range builds {
		if place := slices.Index(want, build.Name); place <= i-places || place >= i+places {
			t.Errorf("%s began as number %d", build.Name, i+1)
		}
	}
	if last := builds[count-1].Status.StartTime; !free.Status.StartTime.Before(last) {
		t.Errorf("another account's build started at %s, the last of a long queue at %s", free.Status.StartTime, last)
	}
	stop()
	if got := <-most; got != places {
		t.Errorf("at most %d builds ran at once, want %d", got, places)
	}
	w.settled()
}

// watchRunning counts how many of the account's builds ran at once, at most.
func (w *world) watchRunning() (most <-chan int, stop func()) {
	w.t.Helper()
	watcher, err := w.kube.Watch(w.t.Context(), &v1alpha1.BuildList{}, client.InNamespace(w.namespace))
	if err != nil {
		w.t.Fatal(err)
	}
	result := make(chan int, 1)
	go func() {
		running, highest := map[string]bool{}, 0
		for event := range watcher.ResultChan() {
			build, ok := event.Object.(*v1alpha1.Build)
			if !ok || event.Type == watch.Error {
				continue
			}
			delete(running, build.Name)
			if build.Status.Phase == v1alpha1.PhaseRunning {
				running[build.Name] = true
			}
			highest = max(highest, len(running))
		}
		result <- highest
	}()
	return result, watcher.Stop
}

// TestQueueWithoutStrategy: builds wait for an operator's strategy, say so, and start
// when it comes; readiness tells it.
func TestQueueWithoutStrategy(t *testing.T) {
	w := newWorld(t)
	name := "late-" + w.login
	running := w.start(func(o *controller.Options) { o.Strategy = name })
	image := w.image("app")
	build := w.await(w.build(image, 1), "waiting", func(b *v1alpha1.Build) bool {
		return b.Status.Phase == v1alpha1.PhaseQueued && b.Status.Reason == v1alpha1.ReasonInfrastructure
	})
	w.eventually("readiness names the strategy", func() bool {
		err := running.Ready(t.Context())
		return err != nil && err.Error() == fmt.Sprintf("there is no build strategy %q: no PodTemplate in namespace drydock-system has the label drydock.dev/build-strategy=%s", name, name)
	})
	strategy := w.strategy("buildah")
	strategy.Name, strategy.ResourceVersion, strategy.UID = name, "", ""
	strategy.Labels = map[string]string{v1alpha1.LabelStrategy: name}
	w.create(strategy)
	t.Cleanup(func() {
		if err := w.kube.Delete(context.WithoutCancel(t.Context()), strategy); err != nil {
			t.Error(err)
		}
	})
	if got := w.await(build, "ended", ended).Status.Phase; got != v1alpha1.PhaseSucceeded {
		t.Errorf("phase %s", got)
	}
	w.eventually("it is ready", func() bool { return running.Ready(t.Context()) == nil })
	w.settled()
}

// TestQueueWithoutRoom: what the cluster does not take waits, says why, and starts
// when there is room.
func TestQueueWithoutRoom(t *testing.T) {
	w := newWorld(t)
	full := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "full"}}
	full.Spec.Hard = corev1.ResourceList{"count/jobs.batch": resource.MustParse("0")}
	w.create(full)
	w.eventually("the quota counts", func() bool {
		if err := w.kube.Get(t.Context(), client.ObjectKeyFromObject(full), full); err != nil {
			t.Fatal(err)
		}
		return len(full.Status.Used) > 0
	})
	w.run()
	build := w.await(w.build(w.image("app"), 1), "waiting", func(b *v1alpha1.Build) bool {
		return b.Status.Phase == v1alpha1.PhaseQueued && strings.Contains(b.Status.Message, "exceeded quota: full")
	})
	w.delete(full)
	if status := w.await(build, "ended", ended).Status; status.Phase != v1alpha1.PhaseSucceeded {
		t.Errorf("status %+v", status)
	}
	w.settled()
}
