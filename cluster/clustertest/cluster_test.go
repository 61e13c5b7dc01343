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
	eventually(t, "the audit log has kubectl's request", func() bool {
		return slices.ContainsFunc(c.AuditEvents(t), func(e clustertest.Event) bool {
			return e.Verb == "list" && e.Resource == "nodes" && strings.HasPrefix(e.UserAgent, "kubectl")
		})
	})
	eventually(t, "the scheduler's watch of pods is counted", func() bool { return c.Requests(t).Watches["pods"] > 0 })
	before := c.Requests(t).Total["LIST secrets"]
	c.Kubectl(t, "get", "secrets")
	eventually(t, "a list of secrets is counted", func() bool { return c.Requests(t).Total["LIST secrets"] > before })
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
