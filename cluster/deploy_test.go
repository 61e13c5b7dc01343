package cluster_test

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"drydock.dev/drydock/cluster"
)

// TestDeploy applies what `kubectl apply -k deploy` does: the API server takes all of it,
// every field known.
func TestDeploy(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "deploy", "kustomization.yaml"))
	must(t, err)
	var kustomization struct{ Resources []string }
	must(t, yaml.Unmarshal(text, &kustomization))
	if len(kustomization.Resources) < 5 {
		t.Fatalf("only %v are to be applied", kustomization.Resources)
	}
	for _, name := range kustomization.Resources {
		manifest, err := os.ReadFile(filepath.Join("..", "deploy", name))
		must(t, err)
		if err := cluster.Apply(t.Context(), shared.Kubeconfig, manifest); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
