package installed

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// objects takes rendered manifests apart, by group, kind and name.
func objects(t *testing.T, manifest []byte) map[string]*unstructured.Unstructured {
	t.Helper()
	all := map[string]*unstructured.Unstructured{}
	for documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096); ; {
		object := &unstructured.Unstructured{}
		err := documents.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) == 0 {
			continue
		}
		name := object.GroupVersionKind().String() + " " + object.GetNamespace() + "/" + object.GetName()
		if all[name] != nil {
			t.Errorf("%s is there twice", name)
		}
		all[name] = object
	}
}

// TestChartIsTheKustomization holds that the chart with its default values, and with each part that is left out by default,
// installs what the kustomization with the component does.
func TestChartIsTheKustomization(t *testing.T) {
	for _, c := range []struct {
		reason, component string
		values            []string
	}{
		{"as they are", "", nil},
		{"with an Ingress", "components/ingress", []string{"gateway.ingress.enabled=true"}},
		{"with a route of the Gateway API", "components/http-route", []string{"gateway.httpRoute.enabled=true", "gateway.httpRoute.parentRefs[0].name=gateway"}},
		{"with ServiceMonitors", "components/monitoring", []string{"serviceMonitor.enabled=true"}},
		{"with v1beta1", "components/conversion", []string{"conversion.enabled=true"}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			rendered, err := kustomize(withComponent(t, c.component))
			if err != nil {
				t.Fatal(err)
			}
			var options []string
			for _, value := range c.values {
				options = append(options, "--set", value)
			}
			chart, err := helm(options...)
			if err != nil {
				t.Fatal(err)
			}
			want, got := objects(t, rendered), objects(t, chart)
			delete(want, "/v1, Kind=Namespace /"+namespace) // helm makes it by --create-namespace
			for _, object := range got {
				if annotations := object.GetAnnotations(); object.GetKind() == "CustomResourceDefinition" {
					if annotations["helm.sh/resource-policy"] != "keep" {
						t.Errorf("helm would delete %s, and all images with it", object.GetName())
					}
					delete(annotations, "helm.sh/resource-policy")
					object.SetAnnotations(annotations)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the chart and kustomize differ (-kustomize +chart):\n%s", diff)
			}
		})
	}
}

// TestValues holds that what cannot be right is refused before anything is installed.
func TestValues(t *testing.T) {
	for _, c := range []struct{ reason, value string }{
		{"a secret would show in process lists", "gateway.settings.stripe-key=sk_test"},
		{"a value that there is not", "gatway.replicas=3"},
		{"a setting that the chart makes", "controller.settings.metrics-listen=:1"},
		{"a flag has no dashes here", "settings.--dev=true"},
		{"no replicas", "controller.replicas=0"},
		{"a public URL without a scheme", "gateway.settings.public-url=builds.example.com"},
		{"a route to nowhere", "gateway.httpRoute.enabled=true"},
		{"a strategy that there is not", "strategies={kaniko}"},
		{"a digest that is none", "image.gatewayDigest=latest"},
	} {
		if _, err := helm("--set", c.value); err == nil {
			t.Errorf("%s: %s was taken", c.reason, c.value)
		}
	}
	if _, err := helm("--set", "gateway.settings.max-complexity=20000000", "--set", "settings.insecure-registries={a:1,b}",
		"--set", "gateway.tlsSecret=tls", "--set", "gateway.autoscaling.enabled=false"); err != nil {
		t.Error(err)
	}
}

// withComponent is a kustomization of deploy/ with one of its components, or without any.
func withComponent(t *testing.T, component string) string {
	t.Helper()
	base := filepath.Join(root, "deploy")
	if component == "" {
		return base
	}
	dir := t.TempDir()
	absolute, err := filepath.Abs(base)
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(dir, absolute)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "kustomization.yaml"), "resources: ["+relative+"]\ncomponents: ["+relative+"/"+component+"]\n")
	return dir
}
