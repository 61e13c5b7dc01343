package cluster_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/cluster/clustertest"
)

// TestFreshCluster begins where an installation does: nothing is there, not even the
// custom resources; the client waits for them, and Apply brings them.
func TestFreshCluster(t *testing.T) {
	control := clustertest.Start(t)
	w := worldOf(t, control)
	c, err := cluster.New(cluster.Options{Kubeconfig: w.kubeconfig})
	must(t, err)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	started := make(chan error, 1)
	go func() { started <- c.Start(ctx) }()
	eventually(t, "what is missing is told", func() bool {
		err := c.Ready()
		return err != nil && strings.Contains(err.Error(), "could not find the requested resource")
	})
	configuration := []byte(`
apiVersion: v1
kind: ConfigMap
metadata: {namespace: fresh, name: settings}
data: {colour: red}
---
# an empty document

---
apiVersion: v1
kind: Namespace
metadata: {name: fresh}
`)
	manifests := append([][]byte{configuration}, crds(t)...)
	must(t, cluster.Apply(ctx, w.kubeconfig, manifests...))
	must(t, <-started)
	must(t, c.Ready())
	create(t, c, newLogin(), "app")

	var before, after corev1.ConfigMap
	key := client.ObjectKey{Namespace: "fresh", Name: "settings"}
	must(t, w.Get(ctx, key, &before))
	must(t, cluster.Apply(ctx, w.kubeconfig, manifests...))
	must(t, w.Get(ctx, key, &after))
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("applied again (-want +got):\n%s", diff)
	}
	columns := strings.Fields(control.Kubectl(t, "get", "img", "--all-namespaces", "--no-headers"))
	if len(columns) < 2 || columns[1] != "app" {
		t.Errorf("kubectl get img prints %q", columns)
	}
}

func TestApplyRefuses(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, test := range []struct{ reason, manifest, words string }{
		{"text that is no YAML", "{", "manifest"},
		{"what the API server refuses", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: No_Name}", "No_Name"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if err := cluster.Apply(ctx, w.kubeconfig, []byte(test.manifest)); err == nil || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %v, want something of %s", err, test.words)
			}
		})
	}
}
