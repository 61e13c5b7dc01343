package installed

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
)

// TestConverterIsReached holds that the API server calls controllers that are not ready: where objects are stored as v1beta1
// and all controllers start at once, they become ready only when they have read these, with their own help.
func TestConverterIsReached(t *testing.T) {
	manifest, err := helm("--set", "conversion.enabled=true")
	if err != nil {
		t.Fatal(err)
	}
	service := objects(t, manifest)["/v1, Kind=Service "+namespace+"/drydock-conversion"]
	if service == nil {
		t.Fatal("there is no Service drydock-conversion")
	}
	if published, _, err := unstructured.NestedBool(service.Object, "spec", "publishNotReadyAddresses"); err != nil || !published {
		t.Errorf("publishNotReadyAddresses is %v (%v), want true", published, err)
	}
}

// TestStored holds that the chart takes away no conversion that something stored may need.
func TestStored(t *testing.T) {
	config, err := clientcmd.BuildConfigFromFlags("", house.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := kube.New(config, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stored := func(versions string) {
		definition := &unstructured.Unstructured{}
		definition.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
		definition.SetName("images.drydock.dev")
		patch := kube.RawPatch(types.MergePatchType, []byte(`{"status": {"storedVersions": `+versions+`}}`))
		if err := admin.Status().Patch(t.Context(), definition, patch); err != nil {
			t.Fatal(err)
		}
	}
	defer stored(`["v1alpha1"]`)
	for _, c := range []struct {
		reason, versions, conversion string
		refused                      bool
	}{
		{"one version is stored", `["v1alpha1"]`, "false", false},
		{"both may be stored", `["v1alpha1", "v1beta1"]`, "false", true},
		{"both may be stored, and are converted", `["v1alpha1", "v1beta1"]`, "true", false},
	} {
		stored(c.versions)
		_, err := helm("--dry-run=server", "--kubeconfig", house.Kubeconfig, "--set", "conversion.enabled="+c.conversion)
		if refused := err != nil && strings.Contains(err.Error(), "images.drydock.dev may be stored as v1beta1"); refused != c.refused || err != nil && !refused {
			t.Errorf("%s: %v, want it refused: %v", c.reason, err, c.refused)
		}
	}
}
