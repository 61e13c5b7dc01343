package billing

import (
	"maps"
	"slices"
	"sync"
)

// problems are what an operator should set right in Stripe, each told once.
type problems struct {
	mu   sync.Mutex
	told map[string]bool
}

// maxProblems bounds the memory that a wild Stripe account costs.
const maxProblems = 1000

func (c *Client) problem(text string) {
	c.problems.mu.Lock()
	defer c.problems.mu.Unlock()
	if c.problems.told[text] || len(c.problems.told) >= maxProblems {
		return
	}
	if c.problems.told == nil {
		c.problems.told = map[string]bool{}
	}
	c.problems.told[text] = true
	c.options.Log.Warn("stripe holds something to set right", "problem", text)
}

func (p *problems) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.told))
}
