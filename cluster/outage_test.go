package cluster_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// An API server that is away costs writes, never reads; what changed meanwhile is
// told when it is back.
func TestOutage(t *testing.T) {
	w := newWorld(t)
	direct := w.connect(t, nil)
	p := newProxy(t, w)
	through := (&world{Client: w.Client, kubeconfig: p.kubeconfig}).connect(t, nil)
	image := create(t, through, newLogin(), "app")
	b := start(t, through, image.Key)
	watch, err := through.WatchBuilds(t.Context(), model.BuildSelector{Login: b.Key.Login, Build: b.Key.Name})
	must(t, err)
	next(t, watch)

	p.set(true)
	w.status(t, b.Key, ended(v1alpha1.PhaseFailed))
	other := create(t, direct, image.Key.Login, "other")
	must(t, direct.DeleteImage(t.Context(), image.Key, ""))
	_, err = through.CreateImage(t.Context(), model.Owner{Login: newLogin()}, input("app"), 1)
	wantFault(t, err, fault.Unavailable)
	if _, err := through.Image(t.Context(), image.Key); err != nil {
		t.Errorf("reads go on from memory, got %v", err)
	}
	must(t, through.Ready())

	p.set(false)
	if state, _ := next(t, watch); state.Phase != model.BuildPhaseFailed {
		t.Errorf("told %s, want what happened meanwhile", state.Phase)
	}
	eventually(t, "what came and went meanwhile is seen", func() bool {
		_, came := through.Image(t.Context(), other.Key)
		_, went := through.Image(t.Context(), image.Key)
		return came == nil && fault.KindOf(went) == fault.NotFound
	})
}

func TestNotReady(t *testing.T) {
	w := newWorld(t)
	p := newProxy(t, w)
	p.set(true)
	c, err := cluster.New(cluster.Options{Kubeconfig: p.kubeconfig})
	must(t, err)
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan error)
	go func() { started <- c.Start(ctx) }()
	eventually(t, "what stands in the way is told", func() bool {
		details, _ := c.Details()["images"].(map[string]any)
		return details["synced"] == false && details["error"] != nil
	})
	if err := c.Ready(); err == nil || !strings.Contains(err.Error(), "images are not read yet") {
		t.Errorf("got %v", err)
	}
	cancel()
	if err := <-started; err == nil {
		t.Error("started without an API server")
	}
	p.set(false)
	eventually(t, "it is ready once the API server is there", func() bool { return c.Ready() == nil })
}

func TestNewRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, os.WriteFile(empty, []byte("apiVersion: v1\nkind: Config\nclusters: nonsense\n"), 0o600))
	for _, path := range []string{empty, filepath.Join(t.TempDir(), "none")} {
		if c, err := cluster.New(cluster.Options{Kubeconfig: path}); err == nil {
			c.Close()
			t.Errorf("%s was taken", path)
		} else if !strings.Contains(err.Error(), "kubeconfig") {
			t.Errorf("%v does not tell what is wrong", err)
		}
	}
}
