package clustertest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/cluster/clustertest"
)

// TestStart shows what a test gets: a node that is ready, and a record of who asked what.
func TestStart(t *testing.T) {
	c := clustertest.Start(t)
	if nodes := c.Kubectl(t, "get", "nodes", "--no-headers"); !strings.Contains(nodes, " Ready ") {
		t.Errorf("no node is ready:\n%s", nodes)
	}
	asked := slices.ContainsFunc(c.AuditEvents(t), func(e clustertest.Event) bool {
		return e.Verb == "list" && e.Resource == "nodes" && strings.HasPrefix(e.UserAgent, "kubectl")
	})
	if !asked {
		t.Error("the audit log does not have kubectl's request")
	}
	before := c.Requests(t)
	if before.Watches["pods"] < 1 {
		t.Errorf("no watch of pods is counted, but the scheduler has one: %v", before.Watches)
	}
	c.Kubectl(t, "get", "secrets")
	for deadline := time.Now().Add(10 * time.Second); c.Requests(t).Total["LIST secrets"] <= before.Total["LIST secrets"]; {
		if time.Now().After(deadline) {
			t.Fatal("a list of secrets was not counted")
		}
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
}
