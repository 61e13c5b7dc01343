package cache_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"drydock.dev/drydock/cache"
)

// TestForget: what was forgotten stands in for nothing, and what an earlier load brings
// later is not kept.
func TestForget(t *testing.T) {
	c, _ := newCache(t, cache.Options{TTL: time.Minute, Stale: time.Hour, Patience: time.Millisecond})
	value := func(v string) cache.Load[string] {
		return func(context.Context) (string, error) { return v, nil }
	}
	down := func(context.Context) (string, error) { return "", errDown }
	if got, err := c.Get(t.Context(), "k", value("old")); got != "old" || err != nil {
		t.Fatalf("%q %v", got, err)
	}
	mark := c.Mark()
	c.Forget("k")
	if got, err := c.Get(t.Context(), "k", down); !errors.Is(err, errDown) {
		t.Errorf("while the upstream is down: %q %v", got, err)
	}
	c.Put(mark, "k", "old")
	if got, held := c.Peek("k"); held {
		t.Errorf("kept %q, which was read before", got)
	}
	if got, err := c.Get(t.Context(), "k", value("new")); got != "new" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	c.Close()
	c.Forget("k")
}
