package billing

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// problems are what an operator should set right in Stripe, each logged once. They are
// on the list until what they are about is read anew, or works again.
type problems struct {
	mu sync.Mutex
	// told are those logged, true for those that are there now.
	told map[string]bool
}

// maxProblems bounds the memory that a wild Stripe account costs.
const maxProblems = 1000

// problem logs a problem, and lists it.
func (c *Client) problem(text string) { c.tellProblem(text, true) }

// warn logs a problem that is listed elsewhere.
func (c *Client) warn(text string) { c.tellProblem(text, false) }

func (c *Client) tellProblem(text string, list bool) {
	c.problems.mu.Lock()
	defer c.problems.mu.Unlock()
	listed, told := c.problems.told[text]
	if !told && len(c.problems.told) >= maxProblems {
		// Those that were set right make room: should one come back, it is logged again.
		maps.DeleteFunc(c.problems.told, func(_ string, listed bool) bool { return !listed })
	}
	if !told && len(c.problems.told) >= maxProblems {
		return
	}
	if c.problems.told == nil {
		c.problems.told = map[string]bool{}
	}
	c.problems.told[text] = listed || list
	if !told {
		c.options.Log.Warn("stripe holds something to set right", "problem", text)
	}
}

// clear takes problems off the list before what they begin with is looked at anew.
func (p *problems) clear(start string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for text := range p.told {
		if strings.HasPrefix(text, start) {
			p.told[text] = false
		}
	}
}

func (p *problems) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	texts := []string{}
	for text, listed := range p.told {
		if listed {
			texts = append(texts, text)
		}
	}
	slices.Sort(texts)
	return texts
}
