package controller_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// TestEvents: kubectl describe tells what happened to a build, and to an image's builds.
func TestEvents(t *testing.T) {
	w := newWorld(t)
	good, bad := w.image("good"), w.image("bad", func(image *v1alpha1.Image) { image.Spec.Source.Ref = "nowhere" })
	one := func(b *v1alpha1.Build) { b.Spec.Limits.ConcurrentBuilds = 1 }
	w.build(good, 1, one)
	w.build(bad, 2, one)
	w.run()
	want := []string{
		"Build bad-2 Normal Queued",
		"Build bad-2 Normal Started",
		"Build bad-2 Warning CloneFailed",
		"Build good-1 Normal Pushed",
		"Build good-1 Normal Started",
		"Image bad Warning BuildFailed of bad-2",
		"Image good Normal BuildSucceeded of good-1",
	}
	var got []string
	w.eventually("everything is told", func() bool {
		got = slices.DeleteFunc(w.events(), func(event string) bool {
			return event == "Build good-1 Normal Queued" // where it had to wait for its account's walls
		})
		return len(got) >= len(want)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Events (-want +got):\n%s", diff)
	}
}

// events are those about Builds and Images of the account, each once.
func (w *world) events() []string {
	w.t.Helper()
	var list eventsv1.EventList
	if err := w.kube.List(w.t.Context(), &list, client.InNamespace(w.namespace)); err != nil {
		w.t.Fatal(err)
	}
	var found []string
	for _, event := range list.Items {
		about := event.Regarding
		if about.Kind != "Build" && about.Kind != "Image" || about.UID == "" || event.Note == "" || event.ReportingController != "drydock-controller" {
			continue
		}
		text := fmt.Sprintf("%s %s %s %s", about.Kind, about.Name, event.Type, event.Reason)
		if event.Related != nil {
			text += " of " + event.Related.Name
		}
		found = append(found, text)
	}
	slices.Sort(found)
	return slices.Compact(found)
}
