package conversion_test

import (
	"os"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"drydock.dev/drydock/cluster/clustertest"
)

// plane is the control plane that the package's tests share.
var plane *clustertest.Cluster

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard()) // what goes past the loggers handed in
	os.Exit(clustertest.Run(m, func(c *clustertest.Cluster) { plane = c }))
}
