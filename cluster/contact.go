package cluster

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// contact is how a watch stands with the API server.
type contact struct {
	// name is what is watched.
	name string
	now  func() time.Time
	// synced is closed once all is read.
	synced chan struct{}

	mu      sync.Mutex
	heard   time.Time
	failure error
}

func newContact(name string, now func() time.Time) *contact {
	return &contact{name: name, now: now, synced: make(chan struct{})}
}

// fail notes what stands in the way, nil when nothing does.
func (c *contact) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = err
}

// hear notes that the API server was heard of.
func (c *contact) hear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard, c.failure = c.now(), nil
}

// complete notes that all is read.
func (c *contact) complete() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.synced:
	default:
		close(c.synced)
	}
}

// ready is nil once all is read.
func (c *contact) ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.synced:
		return nil
	default:
		return errors.Join(fmt.Errorf("%s are not read yet", c.name), c.failure)
	}
}

// details tell whether all is read, how many seconds ago the API server was last heard
// of, and what stands in the way.
func (c *contact) details() map[string]any {
	ready := c.ready() == nil
	c.mu.Lock()
	defer c.mu.Unlock()
	details := map[string]any{"synced": ready}
	if !c.heard.IsZero() {
		details["ageSeconds"] = int(c.now().Sub(c.heard).Seconds())
	}
	if c.failure != nil {
		details["error"] = c.failure.Error()
	}
	return details
}
