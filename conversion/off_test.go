package conversion_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/api/v1beta1"
	"drydock.dev/drydock/cluster"
)

// TestTurnedOff: who applied the definitions with the component, and takes it away again as docs/operations.md says, can
// apply them without it, and loses nothing. While something may be stored as v1beta1 it is refused.
func TestTurnedOff(t *testing.T) {
	w := newWorld(t)
	for _, name := range definitions {
		w.patch(name, []map[string]any{{"op": "remove", "path": "/spec/conversion"}}) // by whom the tests have it
	}
	w.must(cluster.Apply(t.Context(), plane.Kubeconfig, w.converted(t)...))
	w.keeper.Store(w.look(time.Now))
	if len(w.trusted()) == 0 {
		t.Fatal("the definitions have no authority")
	}
	image := sample("Image", "v1alpha1", w.namespace(), "app")
	w.must(w.Create(t.Context(), image))
	plain := manifests(t, "crds/drydock.dev_builds.yaml", "crds/drydock.dev_images.yaml")
	if err := cluster.Apply(t.Context(), plane.Kubeconfig, plain...); err == nil {
		t.Error("the API server takes the definitions without off.yaml now: it may go")
	}
	off := w.operations("off.yaml")
	w.store("v1beta1")
	for _, name := range definitions {
		if err := w.Patch(t.Context(), w.definition(name), client.RawPatch(types.JSONPatchType, off)); err == nil {
			t.Errorf("%s was turned off while v1beta1 is stored", name)
		}
	}
	w.store("v1alpha1")
	w.must(w.migrate(t.Context()))
	for _, name := range definitions {
		w.must(w.Patch(t.Context(), w.definition(name), client.RawPatch(types.JSONPatchType, off)))
	}
	w.down.Store(true)
	w.must(cluster.Apply(t.Context(), plane.Kubeconfig, plain...))
	for _, name := range definitions {
		definition := &apiextensionsv1.CustomResourceDefinition{}
		w.must(w.Get(t.Context(), client.ObjectKey{Name: name}, definition))
		if definition.Spec.Conversion.Strategy != apiextensionsv1.NoneConverter || definition.Spec.Versions[1].Served {
			t.Errorf("%s: %+v, v1beta1 is served: %v", name, definition.Spec.Conversion, definition.Spec.Versions[1].Served)
		}
	}
	w.must(w.Get(t.Context(), client.ObjectKeyFromObject(image), &v1alpha1.Image{}))
	w.eventually("v1beta1 is served no more", func() bool {
		return w.Get(t.Context(), client.ObjectKeyFromObject(image), &v1beta1.Image{}) != nil
	})
}

// operations are a patch of the component's, as JSON.
func (w *world) operations(file string) []byte {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "deploy", "components", "conversion", file))
	w.must(err)
	operations, err := yaml.YAMLToJSON(text)
	w.must(err)
	return operations
}

// converted are the definitions as the component makes them, but for the address.
func (w *world) converted(t *testing.T) (all [][]byte) {
	t.Helper()
	for _, text := range manifests(t, "crds/drydock.dev_builds.yaml", "crds/drydock.dev_images.yaml") {
		var definition map[string]any
		w.must(yaml.Unmarshal(text, &definition))
		spec := definition["spec"].(map[string]any)
		spec["versions"].([]any)[1].(map[string]any)["served"] = true
		spec["conversion"] = map[string]any{"strategy": "Webhook", "webhook": map[string]any{
			"conversionReviewVersions": []any{"v1"}, "clientConfig": map[string]any{"url": "https://" + w.address + "/convert"},
		}}
		text, err := json.Marshal(definition)
		w.must(err)
		all = append(all, text)
	}
	return all
}
