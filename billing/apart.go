package billing

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxApart bounds the time by which replicas keep apart: a change is to be seen within a
// second.
const maxApart = 700 * time.Millisecond

// changes are those of the plans that are to be heeded in a moment.
type changes struct {
	mu      sync.Mutex
	waiting []string
}

// apart drops what a notice changes of the plans, and wakes who watches. All replicas hear
// of that at once and then read the same: where those are more requests than Stripe takes,
// each replica waits for a random time first.
func (c *Client) apart(text string) {
	pause := min(c.stripe.limiter.Spread("GET /v1/products"), maxApart)
	if pause == 0 {
		c.heedChanges(text)
		return
	}
	c.changes.mu.Lock()
	defer c.changes.mu.Unlock()
	if slices.Contains(c.changes.waiting, text) {
		return
	}
	c.changes.waiting = append(c.changes.waiting, text)
	if len(c.changes.waiting) > 1 {
		return // somebody waits already
	}
	c.begin(func() {
		select {
		case <-c.life.Done():
		case <-time.After(rand.N(pause)):
			c.changes.mu.Lock()
			waiting := c.changes.waiting
			c.changes.waiting = nil
			c.changes.mu.Unlock()
			c.heedChanges(waiting...)
		}
	})
}

// heedChanges drops what is held of changed plans, the parts of the catalog before itself:
// what is made of them anew is of new parts.
func (c *Client) heedChanges(notices ...string) {
	for _, text := range notices {
		switch kind, productID, _ := strings.Cut(text, ":"); kind {
		case noticeProduct:
			c.offered.Invalidate(catalogKey)
			c.products.Invalidate(productID)
		case noticePrice:
			c.prices.Invalidate(catalogKey)
			c.products.Invalidate(productID)
		default:
			c.meter.InvalidateAll()
			c.offered.InvalidateAll()
			c.prices.InvalidateAll()
			c.products.InvalidateAll()
		}
	}
	c.catalog.InvalidateAll()
	c.watchers.wakeAll()
}
