package clustertest

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Event is one request that the API server took, from its audit log.
type Event struct {
	Verb, Resource, Subresource, Namespace, Name string
	UserAgent, User                              string
}

func (c *Cluster) auditLog() string { return filepath.Join(c.Dir, "audit.log") }

// AuditEvents are all requests so far, each once, in the order in which they came.
func (c *Cluster) AuditEvents(t testing.TB) []Event {
	t.Helper()
	events, err := c.Audit()
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// Audit is AuditEvents for those that are no tests.
// See https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
func (c *Cluster) Audit() ([]Event, error) {
	file, err := os.Open(c.auditLog())
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var events []Event
	seen := map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			AuditID, Verb, UserAgent string
			User                     struct{ Username string }
			ObjectRef                struct{ Resource, Subresource, Namespace, Name string }
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || seen[line.AuditID] {
			continue // half written, or another stage of the same request
		}
		seen[line.AuditID] = true
		events = append(events, Event{
			Verb: line.Verb, UserAgent: line.UserAgent, User: line.User.Username,
			Resource: line.ObjectRef.Resource, Subresource: line.ObjectRef.Subresource,
			Namespace: line.ObjectRef.Namespace, Name: line.ObjectRef.Name,
		})
	}
	return events, lines.Err()
}
