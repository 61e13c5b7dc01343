package cache_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"drydock.dev/drydock/cache"
)

// TestOneLoad: of many readers that come at about the same moment one alone asks the
// upstream, also those that looked just before its answer came.
func TestOneLoad(t *testing.T) {
	c, _ := newCache(t, cache.Options{TTL: time.Minute})
	const rounds = 300
	for i := range rounds {
		var (
			key     = fmt.Sprint("key", i%50)
			loads   atomic.Int32
			readers sync.WaitGroup
		)
		c.Invalidate(key)
		for range 16 {
			readers.Go(func() {
				_, err := c.Get(t.Context(), key, func(context.Context) (string, error) {
					loads.Add(1)
					return "value", nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		readers.Wait()
		if got := loads.Load(); got != 1 {
			t.Fatalf("round %d: %d loads, want 1", i, got)
		}
	}
}
