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
	Verb, Group, Resource, Subresource, Namespace, Name string
	UserAgent, User                                     string
	// Forbidden tells that the user has no right to it.
	Forbidden bool
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
	files, err := filepath.Glob(filepath.Join(c.Dir, "audit*.log")) // rotated ones, audit-<time>.log, come first
	if err != nil {
		return nil, err
	}
	var events []Event
	seen := map[string]bool{}
	for _, file := range files {
		if events, err = readAudit(file, events, seen); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// readAudit adds a file's requests that were not seen before.
func readAudit(name string, events []Event, seen map[string]bool) ([]Event, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			AuditID, Verb, UserAgent string
			User                     struct{ Username string }
			ObjectRef                struct{ APIGroup, Resource, Subresource, Namespace, Name string }
			Annotations              map[string]string
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || seen[line.AuditID] {
			continue // half written, or another stage of the same request
		}
		seen[line.AuditID] = true
		events = append(events, Event{
			Verb: line.Verb, UserAgent: line.UserAgent, User: line.User.Username,
			Group: line.ObjectRef.APIGroup, Resource: line.ObjectRef.Resource, Subresource: line.ObjectRef.Subresource,
			Namespace: line.ObjectRef.Namespace, Name: line.ObjectRef.Name,
			Forbidden: line.Annotations["authorization.k8s.io/decision"] == "forbid",
		})
	}
	return events, lines.Err()
}
