// Package tally counts what is done on behalf of one request, for its log line and
// for tests: upstream calls by upstream, cache reads by outcome. What a whole process
// counts are prometheus's collectors, which Register shares.
package tally

import (
	"context"
	"maps"
	"sync"
)

// Kind is what is counted.
type Kind string

// The kinds of counts.
const (
	// Calls are requests to upstreams, by the upstream's name. A load that several
	// requests share counts for the one that began it.
	Calls Kind = "calls"
	// Reads are cache reads, by outcome: hit, miss, stale, error.
	Reads Kind = "reads"
)

// Counter holds the counts of one kind and one request.
type Counter struct {
	mu     sync.Mutex
	counts map[string]int
}

// With makes everything of the kind below the context count itself.
func With(ctx context.Context, kind Kind) (context.Context, *Counter) {
	counter := &Counter{counts: map[string]int{}}
	return context.WithValue(ctx, kind, counter), counter
}

// Add counts one; without a counter in the context it does nothing.
func Add(ctx context.Context, kind Kind, name string) {
	counter, ok := ctx.Value(kind).(*Counter)
	if !ok {
		return
	}
	counter.mu.Lock()
	defer counter.mu.Unlock()
	counter.counts[name]++
}

// Counts are the counts so far, by name.
func (c *Counter) Counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}
