package cache_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"drydock.dev/drydock/cache"
	"drydock.dev/drydock/transport"
)

func background(ctx context.Context) context.Context {
	return transport.WithPriority(ctx, transport.Background)
}

// TestPersonPasses has a load under way for which nobody waits, which takes ten seconds
// to get its turn; a load for a person gets it at once.
func TestPersonPasses(t *testing.T) {
	cases := []struct {
		reason string
		before func(held *cache.Cache[string])
	}{
		{"with nothing at hand", func(*cache.Cache[string]) {}},
		{"with an old value at hand that nobody gave up waiting for", func(held *cache.Cache[string]) {
			held.Put(held.Mark(), "key", "old")
			held.Invalidate("key")
		}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				held, err := cache.New[string](cache.Options{
					Name: "test", Capacity: 100, TTL: time.Hour, Stale: time.Hour, Patience: 300 * time.Millisecond,
				})
				if err != nil {
					t.Fatal(err)
				}
				defer held.Close()
				c.before(held)
				load := func(ctx context.Context) (string, error) {
					if transport.PriorityOf(ctx) == transport.Background {
						time.Sleep(10 * time.Second)
					}
					return "new", nil
				}
				go func() { _, _ = held.Get(background(t.Context()), "key", load) }()
				time.Sleep(time.Second)
				start := time.Now()
				var age time.Duration
				value, err := held.Get(aged(t.Context(), &age), "key", load)
				if took := time.Since(start); value != "new" || err != nil || took != 0 || age >= 0 {
					t.Errorf("got %q, %v after %v, told age %v; want the new value at once", value, err, took, age)
				}
				time.Sleep(10 * time.Second)
			})
		})
	}
}

// TestRefreshGivesWay: what is loaded behind the readers keeps nobody's turn.
func TestRefreshGivesWay(t *testing.T) {
	held, now := newCache(t, cache.Options{TTL: time.Minute, Stale: time.Hour, Refresh: true})
	priorities := make(chan transport.Priority, 2)
	for range 2 {
		if _, err := held.Get(t.Context(), "key", func(ctx context.Context) (string, error) {
			priorities <- transport.PriorityOf(ctx)
			return "a", nil
		}); err != nil {
			t.Fatal(err)
		}
		now.Advance(time.Minute)
	}
	for _, want := range []transport.Priority{transport.Interactive, transport.Background} {
		if got := <-priorities; got != want {
			t.Errorf("loaded as %v, want %v", got, want)
		}
	}
}

// TestLimitedIsNoFailure: a load that was never sent says nothing about the upstream, so
// the next reader asks.
func TestLimitedIsNoFailure(t *testing.T) {
	held, now := newCache(t, cache.Options{TTL: time.Minute, Stale: time.Hour})
	held.Put(held.Mark(), "key", "old")
	now.Advance(time.Minute)
	limited := func(context.Context) (string, error) { return "", fmt.Errorf("not sent: %w", transport.ErrLimited) }
	if value, err := held.Get(background(t.Context()), "key", limited); value != "old" || err != nil {
		t.Errorf("got %q, %v, want the old value", value, err)
	}
	value, err := held.Get(t.Context(), "key", func(context.Context) (string, error) { return "new", nil })
	if value != "new" || err != nil {
		t.Errorf("got %q, %v, want the new value", value, err)
	}
}
