package transport

import (
	"context"
	"maps"
	"sync"
)

type counterKey struct{}

// Counter counts the upstream calls made on behalf of one request.
type Counter struct {
	mu     sync.Mutex
	counts map[string]int
}

// WithCounter makes every upstream call below the context count itself. A load that
// several requests share counts for the one that began it.
func WithCounter(ctx context.Context) (context.Context, *Counter) {
	counter := &Counter{counts: map[string]int{}}
	return context.WithValue(ctx, counterKey{}, counter), counter
}

// Counts is how many calls went to each upstream so far.
func (c *Counter) Counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}

func count(ctx context.Context, upstream string) {
	counter, ok := ctx.Value(counterKey{}).(*Counter)
	if !ok {
		return
	}
	counter.mu.Lock()
	defer counter.mu.Unlock()
	counter.counts[upstream]++
}
