package conversion_test

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/api/v1beta1"
)

// TestDown: while v1alpha1 is stored, whoever uses it does not need the webhook, not even
// for what was written as v1beta1. Who uses v1beta1 is told.
func TestDown(t *testing.T) {
	w := newWorld(t)
	namespace := w.namespace()
	w.fill(namespace, 1)
	w.must(w.server.Close())
	for _, name := range []string{"alpha-0", "beta-0", "new"} {
		key := client.ObjectKey{Namespace: namespace, Name: name}
		image := &v1alpha1.Image{}
		for _, step := range []struct {
			what string
			do   func() error
		}{
			{"create", func() error {
				if name != "new" {
					return nil
				}
				return w.Create(t.Context(), sample("Image", "v1alpha1", namespace, name))
			}},
			{"get", func() error { return w.Get(t.Context(), key, image) }},
			{"list", func() error { return w.List(t.Context(), &v1alpha1.ImageList{}, client.InNamespace(namespace)) }},
			{"update", func() error { image.Spec.Source.Ref = "later"; return w.Update(t.Context(), image) }},
			{"update the status", func() error { image.Status.LastBuildNumber = 9; return w.Status().Update(t.Context(), image) }},
			{"patch", func() error {
				return w.Patch(t.Context(), image, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"timeoutSeconds":77}}`)))
			}},
			{"read by v1beta1", func() error {
				err := w.Get(t.Context(), key, &v1beta1.Image{})
				if err != nil && strings.Contains(err.Error(), "conversion webhook for drydock.dev/v1alpha1") {
					return nil
				}
				t.Errorf("v1beta1 without the webhook: %v", err)
				return nil
			}},
			{"delete", func() error { return w.Delete(t.Context(), image) }},
		} {
			if err := step.do(); err != nil {
				t.Errorf("%s %s: %v", step.what, name, err)
			}
		}
		if err := w.Get(t.Context(), key, image); !apierrors.IsNotFound(err) {
			t.Errorf("%s after its deletion: %v", name, err)
		}
	}
}

// TestLegal: what v1beta1 lets in is legal as v1alpha1, which nobody checks again.
func TestLegal(t *testing.T) {
	w := newWorld(t)
	namespace := w.namespace()
	for _, c := range []struct {
		reason string
		change func(spec map[string]any)
		want   string // part of the error; legal where empty
	}{
		{"all by default", func(map[string]any) {}, ""},
		{"an argument that the shell could have", func(s map[string]any) { s["args"] = map[string]any{"_GO1": ""} }, ""},
		{"an argument with a dash", func(s map[string]any) { s["args"] = map[string]any{"a-b": ""} }, "the name of a build argument is letters, digits and '_'"},
		{"an argument without a name", func(s map[string]any) { s["args"] = map[string]any{"": "x"} }, "the name of a build argument is letters, digits and '_'"},
		{"an argument with a name too long", func(s map[string]any) { s["args"] = map[string]any{strings.Repeat("a", 129): ""} }, "has at most 128 characters"},
		{"an argument of many bytes", func(s map[string]any) { s["args"] = map[string]any{"A": strings.Repeat("ü", 2049)} }, "must have at most 4096 bytes"},
		{"the shortest time", func(s map[string]any) { s["timeout"] = "10s" }, ""},
		{"the longest time", func(s map[string]any) { s["timeout"] = "23h59m60s" }, ""},
		{"too short a time", func(s map[string]any) { s["timeout"] = "9s" }, "must be from 10s to 24h"},
		{"too long a time", func(s map[string]any) { s["timeout"] = "1441m" }, "must be from 10s to 24h"},
		{"half a second", func(s map[string]any) { s["timeout"] = "10500ms" }, "should match"},
		{"a time that is none", func(s map[string]any) { s["timeout"] = "" }, "should be at least 2 chars long"},
		{"no output", func(s map[string]any) { delete(s, "output") }, "spec.output: Required value"},
		{"an output without a registry", func(s map[string]any) { s["output"] = map[string]any{"repository": "app"} }, "should match"},
		{"a field of v1alpha1", func(s map[string]any) { s["timeoutSeconds"] = int64(10) }, `unknown field "spec.timeoutSeconds"`},
	} {
		t.Run(c.reason, func(t *testing.T) {
			image := sample("Image", "v1beta1", namespace, "legal")
			c.change(image.Object["spec"].(map[string]any))
			err := w.Create(t.Context(), image, client.FieldValidation("Strict"))
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				return
			}
			w.must(err)
			stored := &v1alpha1.Image{}
			w.must(w.Get(t.Context(), client.ObjectKeyFromObject(image), stored))
			if stored.Spec.Destination == "" || len(stored.Spec.Tags) == 0 {
				t.Errorf("stored as %+v", stored.Spec)
			}
			w.must(w.Update(t.Context(), stored, client.FieldValidation("Strict"))) // v1alpha1's own rules
			w.must(w.Delete(t.Context(), stored))
		})
	}
}
