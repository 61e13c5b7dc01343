package controller_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"drydock.dev/drydock/cluster/clustertest"
)

// plane is the control plane that the package's tests share.
var plane *clustertest.Cluster

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard()) // what goes past the controller's own logger
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "drydock-programs")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programs.dir, programs.built = dir, map[string]string{}
	return clustertest.Run(m, func(c *clustertest.Cluster) { plane = c })
}
