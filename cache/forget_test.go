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

// TestGroups: what is alike up to a NUL byte is invalidated together, and nothing else is.
func TestGroups(t *testing.T) {
	c, _ := newCache(t, cache.Options{TTL: time.Minute})
	loads := 0
	read := func() {
		for _, key := range []string{"ada\x00may", "ada\x00june", "grace\x00may"} {
			if _, err := c.Get(t.Context(), key, func(context.Context) (string, error) { loads++; return key, nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, step := range []struct {
		invalidate string
		loads      int
	}{{"nobody", 3}, {"nobody", 3}, {"ada", 5}, {"ada\x00may", 7}, {"grace", 8}} {
		c.Invalidate(step.invalidate)
		if read(); loads != step.loads {
			t.Errorf("after %q: %d loads, want %d", step.invalidate, loads, step.loads)
		}
	}
}

// perishable is a value that says itself until when it is fresh.
type perishable time.Time

func (p perishable) FreshUntil() time.Time { return time.Time(p) }

// TestPerishable: a value's own time counts where it ends before the TTL.
func TestPerishable(t *testing.T) {
	start := time.Date(2024, time.May, 15, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct{ own, fresh time.Duration }{{time.Minute, time.Minute}, {2 * time.Hour, time.Hour}} {
		now := start
		c, err := cache.New[perishable](cache.Options{Name: "perishable", Capacity: 10, TTL: time.Hour, Stale: time.Hour, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		loads := 0
		load := func(context.Context) (perishable, error) { loads++; return perishable(start.Add(test.own)), nil }
		for _, step := range []struct {
			after time.Duration
			loads int
		}{{0, 1}, {test.fresh - time.Second, 1}, {test.fresh, 2}} {
			now = start.Add(step.after)
			if _, err := c.Get(t.Context(), "k", load); err != nil || loads != step.loads {
				t.Errorf("good for %s, after %s: %d loads, %v; want %d", test.own, step.after, loads, err, step.loads)
			}
		}
	}
}
