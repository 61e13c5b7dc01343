package transport_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"drydock.dev/drydock/transport"
)

// TestLimiterEstimate: a call that could go at once is not refused for the calls of another
// operation, whose own limit holds them back.
func TestLimiterEstimate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := transport.NewLimiter(transport.LimiterOptions{Buckets: stripeLike})
		crowd, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range 300 {
			group.Go(func() {
				if limiter.Wait(crowd, "crowded") == nil {
					limiter.Done(transport.Interactive)
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		start := time.Now()
		err := limiter.Wait(ctx, "quiet")
		if took := time.Since(start); err != nil || took > 100*time.Millisecond {
			t.Errorf("got %v after %v, want its turn at once", err, took)
		}
		leave()
		group.Wait()
	})
}

// TestLimiterLongPause: no upstream silences the replicas for as long as it likes.
func TestLimiterLongPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := transport.NewLimiter(transport.LimiterOptions{Buckets: stripeLike})
		if err := limiter.Wait(t.Context(), "op"); err != nil {
			t.Fatal(err)
		}
		limiter.Pause("op", "global-rate", 365*24*time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		err := limiter.Wait(ctx, "op")
		if took := time.Since(start); err != nil || took != 30*time.Second {
			t.Errorf("got %v after %v, want the turn after 30 seconds", err, took)
		}
	})
}

func TestLimiterSpread(t *testing.T) {
	cases := []struct {
		reason    string
		replicas  int
		operation string
		want      time.Duration
	}{
		{"one process has nobody to keep out of the way of", 1, "op", 0},
		{"two replicas' bursts hold a call each", 2, "op", 0},
		{"five replicas' calls at once would be over the endpoint's limit", 5, "op", 4 * time.Second / 25},
		{"so would fifty", 50, "op", 49 * time.Second / 25},
		{"a limit with much room takes a call of each at once", 50, "events", 0},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			limiter := transport.NewLimiter(transport.LimiterOptions{Buckets: stripeLike})
			limiter.Share(c.replicas)
			if got := limiter.Spread(c.operation); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
