package cache

import (
	"context"
	"sync"
)

type counterKey struct{}

// Counter counts the cache reads made on behalf of one request, by outcome.
type Counter struct {
	mu     sync.Mutex
	counts map[string]int
}

// WithCounter makes every read below the context count itself.
func WithCounter(ctx context.Context) (context.Context, *Counter) {
	counter := &Counter{counts: map[string]int{}}
	return context.WithValue(ctx, counterKey{}, counter), counter
}

// Counts is how many reads had each outcome so far: hit, miss, stale, error.
func (c *Counter) Counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := make(map[string]int, len(c.counts))
	for outcome, n := range c.counts {
		counts[outcome] = n
	}
	return counts
}

func count(ctx context.Context, outcome string) {
	counter, ok := ctx.Value(counterKey{}).(*Counter)
	if !ok {
		return
	}
	counter.mu.Lock()
	defer counter.mu.Unlock()
	counter.counts[outcome]++
}
