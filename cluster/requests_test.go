package cluster_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/tally"
)

// TestRequests counts what each call asks of the API server.
func TestRequests(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	login := newLogin()
	app := create(t, c, login, "app")
	done := start(t, c, app.Key)
	w.status(t, done.Key, ended(v1alpha1.PhaseFailed))
	eventually(t, "the end is seen", func() bool {
		b, err := c.Build(t.Context(), done.Key)
		return err == nil && b.Phase.Done()
	})
	var waiting *model.Build
	begin := model.BuildStart{Image: app.Key, Plan: plan(), ClientMutationID: "m"}
	for _, call := range []struct {
		name string
		make func(context.Context) error
		want int
	}{
		{"Image", func(ctx context.Context) error { _, err := c.Image(ctx, app.Key); return err }, 0},
		{"Images", func(ctx context.Context) error {
			_, err := c.Images(ctx, model.ImageQuery{Login: login, Page: model.Page{First: 20}})
			return err
		}, 0},
		{"Build", func(ctx context.Context) error { _, err := c.Build(ctx, done.Key); return err }, 0},
		{"Builds", func(ctx context.Context) error {
			_, err := c.Builds(ctx, model.BuildQuery{Login: login, Image: app, Page: model.Page{First: 3}})
			return err
		}, 0},
		{"LatestBuilds", func(ctx context.Context) error { _, err := c.LatestBuilds(ctx, []*model.Image{app}); return err }, 0},
		{"BuildsEnded", func(ctx context.Context) error {
			_, err := c.BuildsEnded(ctx, login, done.QueuedAt, done.QueuedAt)
			return err
		}, 0},
		{"CreateImage", func(ctx context.Context) error {
			_, err := c.CreateImage(ctx, model.Owner{Login: login}, input("b"), 9)
			return err
		}, 1},
		{"CreateImage, first of an account", func(ctx context.Context) error {
			_, err := c.CreateImage(ctx, model.Owner{Login: newLogin()}, input("b"), 9)
			return err
		}, 3},
		{"UpdateImage", func(ctx context.Context) error {
			_, err := c.UpdateImage(ctx, app.Key, updateSuspended(false))
			return err
		}, 2},
		{"StartBuild", func(ctx context.Context) (err error) { waiting, err = c.StartBuild(ctx, begin); return err }, 3},
		{"StartBuild again", func(ctx context.Context) error { _, err := c.StartBuild(ctx, begin); return err }, 1},
		{"CancelBuild", func(ctx context.Context) error { _, err := c.CancelBuild(ctx, waiting.Key); return err }, 2},
		{"CancelBuild again", func(ctx context.Context) error { _, err := c.CancelBuild(ctx, waiting.Key); return err }, 1},
		{"RetryBuild", func(ctx context.Context) error {
			_, err := c.RetryBuild(ctx, done.Key, model.BuildStart{Plan: plan()})
			return err
		}, 4},
		{"BuildLog of a queued build", func(ctx context.Context) error { _, err := c.BuildLog(ctx, waiting.Key, 0, 10); return err }, 0},
		{"BuildLog of a build that printed nothing", func(ctx context.Context) error { _, err := c.BuildLog(ctx, done.Key, 0, 10); return err }, 0},
		{"DeleteImage", func(ctx context.Context) error { return c.DeleteImage(ctx, model.Key{Login: login, Name: "b"}, "") }, 2},
		{"DeleteImage with a mutation id", func(ctx context.Context) error { return c.DeleteImage(ctx, app.Key, "m") }, 5},
		{"SetRegistryCredential", func(ctx context.Context) error { return setLogin(ctx, c, login, "one") }, 6},
		{"SetRegistryCredential again", func(ctx context.Context) error { return setLogin(ctx, c, login, "one") }, 1},
		{"SetRegistryCredential in place of one", func(ctx context.Context) error { return setLogin(ctx, c, login, "two") }, 6},
		{"RegistryCredentials", func(ctx context.Context) error { _, err := c.RegistryCredentials(ctx, login); return err }, 0},
		{"DeleteRegistryCredential", func(ctx context.Context) error {
			return c.DeleteRegistryCredential(ctx, model.Key{Login: login, Name: "registry.example.com"}, "m")
		}, 5},
		{"DeleteRegistryCredential again", func(ctx context.Context) error {
			return c.DeleteRegistryCredential(ctx, model.Key{Login: login, Name: "registry.example.com"}, "m")
		}, 2},
		{"DeleteImage again", func(ctx context.Context) error { return c.DeleteImage(ctx, app.Key, "m") }, 2},
	} {
		t.Run(call.name, func(t *testing.T) {
			ctx, counter := tally.With(t.Context(), tally.Calls)
			must(t, call.make(ctx))
			if got := counter.Counts()["kubernetes"]; got != call.want {
				t.Errorf("%d requests, want %d", got, call.want)
			}
		})
	}
}

// requests gives the requests that a registry counted, by operation.
func requests(t *testing.T, registry *prometheus.Registry) map[string]int {
	t.Helper()
	families, err := registry.Gather()
	must(t, err)
	counts := map[string]int{}
	for _, family := range families {
		if family.GetName() != "drydock_upstream_requests_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "operation" {
					counts[label.GetValue()] += int(metric.GetCounter().GetValue())
				}
			}
		}
	}
	return counts
}

// One subscriber and a thousand cost the same: one watch of each kind.
func TestThousandSubscribers(t *testing.T) {
	w := newWorld(t)
	registry := prometheus.NewRegistry()
	c := w.connect(t, registry)
	writer := w.connect(t, nil)
	image := create(t, writer, newLogin(), "app")
	b := start(t, writer, image.Key)
	eventually(t, "the build is seen", func() bool { _, err := c.Build(t.Context(), b.Key); return err == nil })
	first := watchAll(t, c, image, b, 1)
	one := requests(t, registry)
	others := watchAll(t, c, image, b, 1000)
	w.status(t, b.Key, ended(v1alpha1.PhaseSucceeded))
	first()
	others()
	want := map[string]int{"WATCH /apis/drydock.dev/v1alpha1/images": 1, "WATCH /apis/drydock.dev/v1alpha1/builds": 1, "WATCH /api/v1/namespaces": 1}
	if diff := cmp.Diff(want, one); diff != "" {
		t.Errorf("one subscriber (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(one, requests(t, registry)); diff != "" {
		t.Errorf("a thousand subscribers (-one +thousand):\n%s", diff)
	}
}

// watchAll begins subscriptions of both kinds and gives what waits until each has seen
// the build succeed.
func watchAll(t *testing.T, c *cluster.Client, image *model.Image, b *model.Build, count int) (done func()) {
	t.Helper()
	var group sync.WaitGroup
	for range count {
		images, err := c.WatchImage(t.Context(), image.Key)
		must(t, err)
		next(t, images)
		builds, err := c.WatchBuilds(t.Context(), model.BuildSelector{Login: b.Key.Login, Build: b.Key.Name})
		must(t, err)
		group.Go(func() {
			for state := range builds {
				if state.Phase == model.BuildPhaseSucceeded {
					return
				}
			}
			t.Error("a subscription ended before the build")
		})
	}
	return group.Wait
}
