package controller_test

import (
	"os"
	"testing"
)

func startCluster(*testing.T) string { return os.Getenv("KUBECONFIG") }
