package cache_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"drydock.dev/drydock/cache"
)

// TestRenewed: who was given an old value hears when the new one is there, and finds it.
func TestRenewed(t *testing.T) {
	cases := []struct {
		reason  string
		refresh bool
		// waits is how long the load takes; fails are its errors, one for each read.
		waits time.Duration
		fails []error
		want  []string
	}{
		{"a load that took longer than the patience", false, time.Second, []error{nil}, []string{"key new"}},
		{"one that nobody gave up waiting for", false, 100 * time.Millisecond, []error{nil}, nil},
		{"one that failed, and the one after it", false, 0, []error{errDown, nil}, []string{"key new"}},
		{"one that failed in the end", false, time.Second, []error{errDown}, nil},
		{"what is gone after all", false, time.Second, []error{errAbsent}, []string{"key "}},
		{"a load behind the reader", true, 100 * time.Millisecond, []error{nil}, []string{"key new"}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var heard []string
				var held *cache.Cache[string]
				load := func(fails error) cache.Load[string] {
					return func(context.Context) (string, error) {
						time.Sleep(c.waits)
						return "new", fails
					}
				}
				held, err := cache.New[string](cache.Options{
					Name: "test", Capacity: 100, TTL: time.Hour, Stale: time.Hour, Patience: 300 * time.Millisecond,
					Refresh: c.refresh, Negative: time.Minute, IsNegative: func(err error) bool { return errors.Is(err, errAbsent) },
					Renewed: func(key string) {
						var age time.Duration
						value, _ := held.Get(aged(t.Context(), &age), key, load(nil))
						if age >= 0 {
							t.Error("who looks again is given an old value")
						}
						mu.Lock()
						defer mu.Unlock()
						heard = append(heard, key+" "+value)
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				defer held.Close()
				held.Put(held.Mark(), "key", "old")
				time.Sleep(time.Hour)
				for _, fails := range c.fails {
					_, _ = held.Get(t.Context(), "key", load(fails))
					time.Sleep(10 * time.Second)
				}
				mu.Lock()
				defer mu.Unlock()
				if len(heard) != len(c.want) || len(heard) > 0 && heard[0] != c.want[0] {
					t.Errorf("heard %q, want %q", heard, c.want)
				}
			})
		})
	}
}

// TestRenewedInTime: whoever was told of an old value is woken after that, however close
// the end of the patience is to the end of the load.
func TestRenewedInTime(t *testing.T) {
	woken := make(chan struct{}, 1)
	held, err := cache.New[string](cache.Options{
		Name: "test", Capacity: 100, TTL: time.Hour, Stale: time.Hour, Patience: 2 * time.Millisecond,
		Renewed: func(string) {
			select {
			case woken <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	held.Put(held.Mark(), "key", "old")
	load := func(context.Context) (string, error) {
		time.Sleep(2 * time.Millisecond)
		return "new", nil
	}
	for round := range 300 {
		held.Invalidate("key")
		for old := true; old; {
			var age time.Duration
			if _, err := held.Get(aged(t.Context(), &age), "key", load); err != nil {
				t.Fatal(err)
			}
			if old = age >= 0; old {
				select {
				case <-woken:
				case <-time.After(time.Minute):
					t.Fatalf("round %d: an old value was told, and nobody told of the new one", round)
				}
			}
		}
		select {
		case <-woken: // by a stand-in that was replaced before anybody was given it
		default:
		}
	}
}

// TestStaleOfStale: what is made of old values stands in no longer than they may.
func TestStaleOfStale(t *testing.T) {
	part, now := newCache(t, cache.Options{TTL: time.Minute, Stale: time.Hour})
	whole, later := newCache(t, cache.Options{TTL: time.Minute, Stale: time.Hour})
	read := func(fails error) (string, error) {
		return whole.Get(t.Context(), "whole", func(ctx context.Context) (string, error) {
			return part.Get(ctx, "part", func(context.Context) (string, error) { return "a", fails })
		})
	}
	if _, err := read(nil); err != nil {
		t.Fatal(err)
	}
	for _, minutes := range []time.Duration{50, 9, 30} {
		now.Advance(minutes * time.Minute)
		later.Advance(minutes * time.Minute)
		value, err := read(errDown)
		if minutes < 30 && (value != "a" || err != nil) {
			t.Errorf("after %d minutes more: %q, %v, want the old value", minutes, value, err)
		}
		if minutes == 30 && err == nil {
			t.Errorf("got %q 89 minutes after it was read: it may stand in for 61", value)
		}
	}
}
