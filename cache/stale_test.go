package cache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"drydock.dev/drydock/cache"
	"drydock.dev/drydock/staleness"
)

// aged hears the age of the last stale value told.
func aged(ctx context.Context, age *time.Duration) context.Context {
	*age = -1
	return staleness.With(ctx, func(_ context.Context, told time.Duration) { *age = told })
}

// TestPatience has an upstream that takes long over a value that is known from before.
func TestPatience(t *testing.T) {
	cases := []struct {
		reason string
		fails  error
		// want is the value once the load has ended.
		want string
	}{
		{"the load goes on, and what it gives is fresh", nil, "b"},
		{"the load fails in the end: the old value goes on standing in", errDown, "a"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				held, err := cache.New[string](cache.Options{
					Name: "test", Capacity: 100, TTL: time.Hour, Stale: time.Hour, Patience: 300 * time.Millisecond, RetryAfter: time.Minute,
				})
				if err != nil {
					t.Fatal(err)
				}
				defer held.Close()
				if _, err := held.Get(t.Context(), "key", func(context.Context) (string, error) { return "a", nil }); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				held.Invalidate("key")
				loads := 0
				slow := func(context.Context) (string, error) {
					loads++
					time.Sleep(5 * time.Second)
					return "b", c.fails
				}
				var age time.Duration
				for _, waits := range []time.Duration{300 * time.Millisecond, 0, 0} {
					start := time.Now()
					value, err := held.Get(aged(t.Context(), &age), "key", slow)
					if took := time.Since(start); value != "a" || err != nil || took != waits {
						t.Errorf("got %q, %v after %v; want the old value after %v", value, err, took, waits)
					}
					if age != 10300*time.Millisecond {
						t.Errorf("told age %v", age)
					}
				}
				time.Sleep(5 * time.Second)
				value, err := held.Get(aged(t.Context(), &age), "key", slow)
				if value != c.want || err != nil || loads != 1 || (age >= 0) != (c.fails != nil) {
					t.Errorf("after the load: %q, %v, told age %v, %d loads; want %q", value, err, age, loads, c.want)
				}
			})
		})
	}
}

// TestPatienceNeedsSomethingToServe: a value that nobody knows is waited for.
func TestPatienceNeedsSomethingToServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held, err := cache.New[string](cache.Options{Name: "test", Capacity: 100, TTL: time.Hour, Patience: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		value, err := held.Get(t.Context(), "key", func(context.Context) (string, error) {
			time.Sleep(time.Second)
			return "a", nil
		})
		if value != "a" || err != nil {
			t.Errorf("got %q, %v", value, err)
		}
	})
}

// TestMadeOfStale: a value that was made of an old one is as old.
func TestMadeOfStale(t *testing.T) {
	options := cache.Options{TTL: time.Minute, Stale: time.Hour, RetryAfter: 5 * time.Second}
	part, now := newCache(t, options)
	whole, _ := newCache(t, options)
	var fails error
	read := func() (string, time.Duration) {
		t.Helper()
		var age time.Duration
		value, err := whole.Get(aged(t.Context(), &age), "whole", func(ctx context.Context) (string, error) {
			half, err := part.Get(ctx, "half", func(context.Context) (string, error) { return "b", fails })
			return "a" + half, err
		})
		if err != nil {
			t.Fatal(err)
		}
		return value, age
	}
	if value, age := read(); value != "ab" || age != -1 {
		t.Errorf("got %q, age %v", value, age)
	}
	now.Advance(2 * time.Minute)
	fails = errDown
	whole.Invalidate("whole")
	if value, age := read(); value != "ab" || age != 2*time.Minute {
		t.Errorf("while down: %q, age %v", value, age)
	}
	if value, age := read(); value != "ab" || age < 2*time.Minute {
		t.Errorf("from memory: %q, age %v", value, age)
	}
}

// TestPeek gives the last known value, whatever happened to it.
func TestPeek(t *testing.T) {
	held, now := newCache(t, cache.Options{TTL: time.Minute, Stale: time.Minute})
	if _, ok := held.Peek("key"); ok {
		t.Error("something is known before the first load")
	}
	held.Put(held.Mark(), "key", "a")
	now.Advance(time.Minute)
	held.InvalidateAll()
	if value, ok := held.Peek("key"); value != "a" || !ok {
		t.Errorf("got %q, %v", value, ok)
	}
}

// TestRefreshAfterOutage: where old values are served at once and loaded behind, one that
// stood in for a failed load is not, once there is time to ask again.
func TestRefreshAfterOutage(t *testing.T) {
	held, now := newCache(t, cache.Options{TTL: time.Minute, Stale: time.Hour, Refresh: true, RetryAfter: 5 * time.Second})
	read := func(says string, fails error) string {
		t.Helper()
		value, err := held.Get(t.Context(), "key", func(context.Context) (string, error) { return says, fails })
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	read("a", nil)
	held.InvalidateAll()
	if value := read("", errDown); value != "a" {
		t.Errorf("while down: %q", value)
	}
	now.Advance(5 * time.Second)
	if value := read("b", nil); value != "b" {
		t.Errorf("after the outage: %q", value)
	}
}

// TestPatienceOfLoads: a load that reads another cache waits for it, so that what it makes
// is not old because a part was slow.
func TestPatienceOfLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := cache.Options{Name: "test", Capacity: 100, TTL: time.Hour, Stale: time.Hour, Refresh: true, Patience: 300 * time.Millisecond}
		part, err := cache.New[string](options)
		if err != nil {
			t.Fatal(err)
		}
		defer part.Close()
		whole, err := cache.New[string](options)
		if err != nil {
			t.Fatal(err)
		}
		defer whole.Close()
		says := "a"
		read := func() (string, time.Duration) {
			var age time.Duration
			value, err := whole.Get(aged(t.Context(), &age), "whole", func(ctx context.Context) (string, error) {
				return part.Get(ctx, "part", func(context.Context) (string, error) {
					time.Sleep(time.Second)
					return says, nil
				})
			})
			if err != nil {
				t.Error(err)
			}
			return value, age
		}
		read()
		says = "b"
		whole.Invalidate("whole")
		time.Sleep(90 * time.Minute) // the part is past its time, too
		if value, age := read(); value != "a" || age < time.Hour {
			t.Errorf("the reader is impatient: got %q, told age %v", value, age)
		}
		time.Sleep(time.Second)
		if value, age := read(); value != "b" || age != -1 {
			t.Errorf("the load was not: got %q, told age %v", value, age)
		}
	})
}
