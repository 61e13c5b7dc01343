package conversion_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/conversion"
)

// TestMigrate moves stored objects to v1beta1 and back: whatever was written, by either
// version, reads the same by both at every stage. It is ended in the middle and run again.
func TestMigrate(t *testing.T) {
	w := newWorld(t)
	namespace := w.namespace()
	w.fill(namespace, 10)
	alpha, beta := w.picture("v1alpha1", namespace), w.picture("v1beta1", namespace)
	if len(alpha) != 40 || len(beta) != 40 {
		t.Fatalf("%d and %d objects, not 40", len(alpha), len(beta))
	}
	same := func(t *testing.T) {
		t.Helper()
		if diff := cmp.Diff(alpha, w.picture("v1alpha1", namespace)); diff != "" {
			t.Errorf("v1alpha1 (-before +now):\n%s", diff)
		}
		if diff := cmp.Diff(beta, w.picture("v1beta1", namespace)); diff != "" {
			t.Errorf("v1beta1 (-before +now):\n%s", diff)
		}
	}
	for _, step := range []struct{ from, to string }{{"v1alpha1", "v1beta1"}, {"v1beta1", "v1alpha1"}} {
		t.Run("to "+step.to, func(t *testing.T) {
			w.t = t
			w.onlyStored(t, alpha, step.from, step.to)
			w.store(step.to)
			w.storedAs(t, "v1alpha1", "v1beta1")
			same(t)
			w.interrupted(t)
			w.storedAs(t, "v1alpha1", "v1beta1")
			same(t)
			w.must(w.migrate(t.Context()))
			w.storedAs(t, step.to)
			same(t)
			w.onlyStored(t, alpha, step.to, step.from)
			w.must(w.migrate(t.Context())) // again, where nothing is left to do
			w.storedAs(t, step.to)
		})
	}
}

func (w *world) migrate(ctx context.Context) error {
	return conversion.Migrate(ctx, conversion.MigrateOptions{Config: w.config, Workers: 4, Log: testLog(w.t)})
}

// interrupted begins a migration and ends it after some objects.
func (w *world) interrupted(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	enough := w.calls.Load() + 10
	look := func() {
		if w.calls.Load() > enough {
			cancel()
		}
	}
	w.called.Store(&look)
	defer w.called.Store(nil)
	if err := w.migrate(ctx); err == nil {
		t.Error("a migration that was ended in the middle says it is complete")
	}
}

// storedAs checks what both definitions say they store.
func (w *world) storedAs(t *testing.T, versions ...string) {
	t.Helper()
	for _, name := range definitions {
		if diff := cmp.Diff(versions, w.stored(name)); diff != "" {
			t.Errorf("%s stores other versions (-want +got):\n%s", name, diff)
		}
	}
}

// onlyStored checks what etcd holds of every object: without the webhook the version that is
// stored can be read, and the other one cannot. (Lists would be answered by caches.)
func (w *world) onlyStored(t *testing.T, objects map[string]any, stored, other string) {
	t.Helper()
	w.down.Store(true)
	defer w.down.Store(false)
	for key := range objects {
		kind, name, _ := strings.Cut(key, " ")
		namespace, name, _ := strings.Cut(name, "/")
		if err := w.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, sample(kind, stored, namespace, name)); err != nil {
			t.Errorf("%s is stored as %s, and cannot be read without the webhook: %v", key, stored, err)
		}
		err := w.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, sample(kind, other, namespace, name))
		if err == nil || !strings.Contains(err.Error(), "conversion webhook for drydock.dev/"+stored) {
			t.Errorf("%s is not stored as %s, and reading it without the webhook gives %v", key, other, err)
		}
	}
}
