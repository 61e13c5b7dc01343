package resolvers_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/cluster/clustertest"
	"drydock.dev/drydock/deploy"
)

// plane is the one control plane of this package's tests.
var plane *clustertest.Cluster

func TestMain(m *testing.M) {
	os.Exit(clustertest.Run(m, func(c *clustertest.Cluster) { plane = c }))
}

// installed tells whether the control plane knows our kinds.
var installed = sync.OnceValue(func() error {
	var manifests [][]byte
	for _, name := range []string{"builds", "images"} {
		manifest, err := deploy.Files.ReadFile("crds/drydock.dev_" + name + ".yaml")
		if err != nil {
			return err
		}
		manifests = append(manifests, manifest)
	}
	return cluster.Apply(context.Background(), plane.Kubeconfig, manifests...)
})
