package transport_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/transport"
)

// stripeLike has the limits of a live Stripe account: one for all, one for each operation,
// and meter events by themselves.
func stripeLike(operation string) []transport.Bucket {
	if operation == "events" {
		return []transport.Bucket{{Name: operation, Limit: 1000, Reason: "endpoint"}}
	}
	return []transport.Bucket{{Name: "total", Limit: 100, Reason: "global"}, {Name: operation, Limit: 25, Reason: "endpoint"}}
}

// times notes when calls went out.
type times struct {
	mu sync.Mutex
	at []time.Time
}

func (g *times) note() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at = append(g.at, time.Now())
}

// most is the largest number of calls in any one second.
func (g *times) most() int {
	slices.SortFunc(g.at, time.Time.Compare)
	most := 0
	for i, first := range g.at {
		n := 0
		for _, next := range g.at[i:] {
			if next.Sub(first) < time.Second {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// rush makes so many calls of each operation at once and waits for all.
func rush(t *testing.T, ctx context.Context, limiters []*transport.Limiter, operations map[string]int) (went map[string]*times, all *times) {
	t.Helper()
	went, all = map[string]*times{}, &times{}
	for operation := range operations {
		went[operation] = &times{}
	}
	var group sync.WaitGroup
	for _, limiter := range limiters {
		for operation, calls := range operations {
			for range calls {
				group.Go(func() {
					if err := limiter.Wait(ctx, operation); err != nil {
						t.Error(err)
						return
					}
					went[operation].note()
					all.note()
					limiter.Done(transport.PriorityOf(ctx))
				})
			}
		}
	}
	group.Wait()
	return went, all
}

func TestLimiterRates(t *testing.T) {
	cases := []struct {
		reason     string
		operations map[string]int
		// most is the largest number of calls in a second, by operation; total over all.
		most  map[string]int
		total int
		takes time.Duration
	}{
		{
			reason:     "one endpoint's limit holds though the account has more",
			operations: map[string]int{"a": 250}, most: map[string]int{"a": 25}, total: 25, takes: 12 * time.Second,
		},
		{
			reason:     "the account's limit holds over many endpoints",
			operations: map[string]int{"a": 100, "b": 100, "c": 100, "d": 100, "e": 100},
			most:       map[string]int{"a": 25, "b": 25, "c": 25, "d": 25, "e": 25}, total: 100, takes: 10 * time.Second,
		},
		{
			reason:     "a slow endpoint holds nobody else back, and meter events count for themselves",
			operations: map[string]int{"a": 100, "b": 2, "events": 900},
			most:       map[string]int{"a": 25, "b": 25, "events": 1000}, total: 1100, takes: 5 * time.Second,
		},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				limiter := transport.NewLimiter(transport.LimiterOptions{Buckets: stripeLike})
				went, all := rush(t, t.Context(), []*transport.Limiter{limiter}, c.operations)
				for operation, times := range went {
					if got := times.most(); got > c.most[operation] || len(times.at) != c.operations[operation] {
						t.Errorf("%s: %d calls, up to %d in a second, want at most %d", operation, len(times.at), got, c.most[operation])
					}
				}
				if got := all.most(); got > c.total {
					t.Errorf("up to %d calls in a second, want at most %d", got, c.total)
				}
				if took := time.Since(start); took > c.takes {
					t.Errorf("took %v, want at most %v: the limits are to be used", took, c.takes)
				}
			})
		})
	}
}

// TestLimiterShare has fifty replicas share one account: together they stay near its
// limit, bursts included, and use what there is.
func TestLimiterShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const replicas = 50
		var limiters []*transport.Limiter
		for range replicas {
			limiter := transport.NewLimiter(transport.LimiterOptions{Buckets: stripeLike})
			limiter.Share(replicas)
			limiters = append(limiters, limiter)
		}
		start := time.Now()
		went, _ := rush(t, t.Context(), limiters, map[string]int{"a": 10})
		if took := time.Since(start); took > 25*time.Second {
			t.Errorf("took %v for 500 calls at 22.5 a second", took)
		}
		if most := went["a"].most(); most > 42 {
			t.Errorf("up to %d calls in a second over all replicas, want near 25", most)
		}
		for _, limiter := range limiters {
			limiter.Share(1)
		}
		start = time.Now()
		rush(t, t.Context(), limiters[:1], map[string]int{"a": 225})
		if took := time.Since(start); took > 11*time.Second {
			t.Errorf("alone again it took %v for 225 calls", took)
		}
	})
}

// TestLimiterPriority has both priorities wait for the same tokens.
func TestLimiterPriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := transport.NewLimiter(transport.LimiterOptions{Buckets: func(string) []transport.Bucket {
			return []transport.Bucket{{Name: "all", Limit: 10}}
		}})
		if err := limiter.Wait(t.Context(), "first"); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []transport.Priority
		var group sync.WaitGroup
		begin := func(ctx context.Context, calls int) {
			for range calls {
				group.Go(func() {
					if err := limiter.Wait(ctx, "all"); err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					order = append(order, transport.PriorityOf(ctx))
				})
			}
			synctest.Wait()
		}
		begin(transport.WithPriority(t.Context(), transport.Background), 4)
		begin(t.Context(), 20)
		group.Wait()
		// One background call after each eight others, of which "first" was one; the rest last.
		const background = transport.Background
		want := make([]transport.Priority, 24)
		want[7], want[16], want[22], want[23] = background, background, background, background
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("order of the calls (-want +got):\n%s", diff)
		}
	})
}

func TestLimiterWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := limiter(1) // 0.9 a second
		wait := func(timeout time.Duration) (time.Duration, error) {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			start := time.Now()
			err := limiter.Wait(ctx, "op")
			return time.Since(start), err
		}
		if took, err := wait(time.Second); took != 0 || err != nil {
			t.Errorf("the first call: %v after %v", err, took)
		}
		if took, err := wait(time.Second); took != 0 || !errors.Is(err, transport.ErrLimited) {
			t.Errorf("a deadline before the turn: %v after %v, want a refusal at once", err, took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second/2, cancel)
		if err := limiter.Wait(ctx, "op"); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that leaves got %v", err)
		}
		if took, err := wait(2 * time.Second); took > 700*time.Millisecond || err != nil {
			t.Errorf("its place is the next one's: %v after %v", err, took)
		}
		limiter.Pause("op", "endpoint-rate", time.Minute)
		if took, err := wait(2 * time.Second); took > 1200*time.Millisecond || err != nil {
			t.Errorf("a pause of another limit: %v after %v", err, took)
		}
		limiter.Pause("op", "global-rate", 10*time.Second)
		if took, err := wait(time.Minute); took != 10*time.Second || err != nil {
			t.Errorf("a pause that the upstream asked for: %v after %v", err, took)
		}
		refused := make(chan error, 1)
		go func() { refused <- limiter.Wait(t.Context(), "op") }()
		synctest.Wait()
		limiter.Refuse(transport.ErrOpen)
		if err := <-refused; !errors.Is(err, transport.ErrOpen) {
			t.Errorf("a call that waited while the upstream went down got %v", err)
		}
		if took, err := wait(2 * time.Second); took > 1200*time.Millisecond || err != nil {
			t.Errorf("its place is free: %v after %v", err, took)
		}
	})
}

// TestLimiterConcurrency bounds the calls under way, background ones to half.
func TestLimiterConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := transport.NewLimiter(transport.LimiterOptions{
			Concurrency: 4, Buckets: func(string) []transport.Bucket { return nil },
		})
		var now, most [2]int
		var mu sync.Mutex
		var group sync.WaitGroup
		work := func(ctx context.Context) {
			p := transport.PriorityOf(ctx)
			if err := limiter.Wait(ctx, "op"); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			now[p]++
			most = [2]int{max(most[0], now[0]+now[1]), max(most[1], now[1])}
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now[p]--
			mu.Unlock()
			limiter.Done(p)
		}
		for range 20 {
			group.Go(func() { work(transport.WithPriority(t.Context(), transport.Background)) })
			group.Go(func() { work(t.Context()) })
		}
		start := time.Now()
		group.Wait()
		if most != [2]int{4, 2} {
			t.Errorf("at most %d calls under way, %d of them in the background; want 4 and 2", most[0], most[1])
		}
		if took := time.Since(start); took > 15*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
