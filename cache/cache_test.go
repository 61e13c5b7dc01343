package cache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"drydock.dev/drydock/cache"
	"drydock.dev/drydock/staleness"
	"drydock.dev/drydock/tally"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errDown   = errors.New("the upstream is down")
	errAbsent = errors.New("there is no such thing")
)

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newCache(t *testing.T, options cache.Options) (*cache.Cache[string], *clock) {
	t.Helper()
	held := &clock{now: time.Now()}
	options.Name, options.Capacity, options.Now = "test", 100, held.Now
	options.IsNegative = func(err error) bool { return errors.Is(err, errAbsent) }
	c, err := cache.New[string](options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, held
}

// TestGet walks a cache through time: each step advances the clock, may change what the
// upstream says, and reads.
func TestGet(t *testing.T) {
	type step struct {
		advance    time.Duration
		invalidate bool
		says       string
		fails      error
		want       string
		wantErr    error
		loads      int // so far
		outcome    string
		age        time.Duration // as told with a stale value
	}
	cases := []struct {
		reason  string
		options cache.Options
		steps   []step
	}{
		{
			reason:  "fresh values cost no load, old ones one",
			options: cache.Options{TTL: time.Minute},
			steps: []step{
				{says: "a", want: "a", loads: 1, outcome: "miss"},
				{advance: 59 * time.Second, says: "b", want: "a", loads: 1, outcome: "hit"},
				{advance: time.Second, says: "b", want: "b", loads: 2, outcome: "miss"},
			},
		},
		{
			reason:  "a failing upstream is covered by the old value, asked again after a pause, and not covered for ever",
			options: cache.Options{TTL: time.Minute, Stale: time.Hour, RetryAfter: 5 * time.Second},
			steps: []step{
				{says: "a", want: "a", loads: 1, outcome: "miss"},
				{advance: time.Minute, fails: errDown, want: "a", loads: 2, outcome: "stale", age: time.Minute},
				{advance: time.Second, fails: errDown, want: "a", loads: 2, outcome: "stale", age: 61 * time.Second},
				{advance: 5 * time.Second, says: "b", want: "b", loads: 3, outcome: "miss"},
				{advance: 2 * time.Hour, fails: errDown, wantErr: errDown, loads: 4, outcome: "error"},
			},
		},
		{
			reason:  "a refusal is remembered for its own time",
			options: cache.Options{TTL: time.Minute, Negative: 5 * time.Second},
			steps: []step{
				{fails: errAbsent, wantErr: errAbsent, loads: 1, outcome: "miss"},
				{advance: 4 * time.Second, says: "a", wantErr: errAbsent, loads: 1, outcome: "hit"},
				{advance: time.Second, says: "a", want: "a", loads: 2, outcome: "miss"},
			},
		},
		{
			reason:  "what is gone is not covered by what it was",
			options: cache.Options{TTL: time.Minute, Stale: time.Hour},
			steps: []step{
				{says: "a", want: "a", loads: 1, outcome: "miss"},
				{advance: time.Minute, fails: errAbsent, wantErr: errAbsent, loads: 2, outcome: "miss"},
				{fails: errDown, wantErr: errDown, loads: 3, outcome: "error"},
			},
		},
		{
			reason:  "other failures are not remembered",
			options: cache.Options{TTL: time.Minute, Negative: time.Minute},
			steps: []step{
				{fails: errDown, wantErr: errDown, loads: 1, outcome: "error"},
				{says: "a", want: "a", loads: 2, outcome: "miss"},
			},
		},
		{
			reason:  "what was invalidated is asked for anew, and stands in while the upstream fails",
			options: cache.Options{TTL: time.Hour, Stale: time.Hour, RetryAfter: 5 * time.Second},
			steps: []step{
				{says: "a", want: "a", loads: 1, outcome: "miss"},
				{advance: time.Minute, invalidate: true, fails: errDown, want: "a", loads: 2, outcome: "stale", age: time.Minute},
				{advance: time.Second, says: "b", want: "a", loads: 2, outcome: "stale", age: 61 * time.Second},
				{advance: 5 * time.Second, says: "b", want: "b", loads: 3, outcome: "miss"},
			},
		},
		{
			reason:  "an invalidation while the old value stands in asks at once",
			options: cache.Options{TTL: time.Hour, Stale: time.Hour, RetryAfter: time.Minute},
			steps: []step{
				{says: "a", want: "a", loads: 1, outcome: "miss"},
				{invalidate: true, fails: errDown, want: "a", loads: 2, outcome: "stale"},
				{invalidate: true, says: "b", want: "b", loads: 3, outcome: "miss"},
			},
		},
		{
			reason:  "without a time to stand in, an invalidated value does not",
			options: cache.Options{TTL: time.Minute},
			steps: []step{
				{says: "a", want: "a", loads: 1, outcome: "miss"},
				{advance: time.Minute, invalidate: true, fails: errDown, wantErr: errDown, loads: 2, outcome: "error"},
			},
		},
		{
			reason:  "a refusal that was invalidated is forgotten",
			options: cache.Options{TTL: time.Minute, Stale: time.Hour, Negative: time.Hour},
			steps: []step{
				{fails: errAbsent, wantErr: errAbsent, loads: 1, outcome: "miss"},
				{invalidate: true, fails: errDown, wantErr: errDown, loads: 2, outcome: "error"},
				{says: "a", want: "a", loads: 3, outcome: "miss"},
			},
		},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			held, now := newCache(t, c.options)
			loads := 0
			for i, s := range c.steps {
				now.Advance(s.advance)
				if s.invalidate {
					held.Invalidate("key")
				}
				ctx, counter := tally.With(t.Context(), tally.Reads)
				var told []time.Duration
				ctx = staleness.With(ctx, func(_ context.Context, age time.Duration) { told = append(told, age) })
				got, err := held.Get(ctx, "key", func(context.Context) (string, error) {
					loads++
					return s.says, s.fails
				})
				if got != s.want || !errors.Is(err, s.wantErr) || loads != s.loads {
					t.Errorf("step %d: got %q, %v after %d loads; want %q, %v, %d", i, got, err, loads, s.want, s.wantErr, s.loads)
				}
				if diff := cmp.Diff(map[string]int{s.outcome: 1}, counter.Counts()); diff != "" {
					t.Errorf("step %d: outcome (-want +got):\n%s", i, diff)
				}
				var want []time.Duration
				if s.outcome == "stale" {
					want = []time.Duration{s.age}
				}
				if diff := cmp.Diff(want, told); diff != "" {
					t.Errorf("step %d: ages told (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

func TestSingleFlight(t *testing.T) {
	held, _ := newCache(t, cache.Options{TTL: time.Minute})
	var loads atomic.Int32
	asked, release := make(chan struct{}), make(chan struct{})
	load := func(context.Context) (string, error) {
		if loads.Add(1) == 1 {
			close(asked)
		}
		<-release
		return "a", nil
	}
	first, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := held.Get(first, "key", load)
		left <- err
	}()
	<-asked
	got := make(chan string, 100)
	for range cap(got) {
		go func() {
			value, _ := held.Get(t.Context(), "key", load)
			got <- value
		}()
	}
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller that gave up got %v", err)
	}
	close(release)
	for range cap(got) {
		if value := <-got; value != "a" {
			t.Fatalf("a caller that stayed got %q: the first one's end must not end the load", value)
		}
	}
	if n := loads.Load(); n != 1 {
		t.Errorf("%d loads, want one for all", n)
	}
}

func TestInvalidationDuringLoad(t *testing.T) {
	cases := []struct {
		reason     string
		invalidate func(*cache.Cache[string])
		// again is how many loads the read after it costs.
		again int32
	}{
		{"of the key: the load is from before the write", func(c *cache.Cache[string]) { c.Invalidate("key") }, 1},
		{"of everything", func(c *cache.Cache[string]) { c.InvalidateAll() }, 1},
		{"of nothing", func(*cache.Cache[string]) {}, 0},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			held, _ := newCache(t, cache.Options{TTL: time.Minute})
			asked, release := make(chan struct{}), make(chan struct{})
			old := make(chan string, 1)
			go func() {
				value, _ := held.Get(t.Context(), "key", func(context.Context) (string, error) {
					close(asked)
					<-release
					return "before", nil
				})
				old <- value
			}()
			<-asked
			c.invalidate(held)
			if c.again > 0 {
				// A reader behind the write does not join the load from before it.
				value, err := held.Get(t.Context(), "key", func(context.Context) (string, error) { return "after", nil })
				if value != "after" || err != nil {
					t.Errorf("got %q, %v while the old load was under way", value, err)
				}
			}
			close(release)
			if value := <-old; value != "before" {
				t.Errorf("the reader from before got %q", value)
			}
			want := "before"
			if c.again > 0 {
				want = "after"
			}
			if value, ok := held.Peek("key"); value != want || !ok {
				t.Errorf("held is %q, %v; want %q", value, ok, want)
			}
		})
	}
}

func TestRefreshServesOldValueAtOnce(t *testing.T) {
	held, now := newCache(t, cache.Options{TTL: time.Minute, Stale: time.Hour, Refresh: true})
	load := func(value string) cache.Load[string] {
		return func(context.Context) (string, error) { return value, nil }
	}
	if _, err := held.Get(t.Context(), "key", load("a")); err != nil {
		t.Fatal(err)
	}
	now.Advance(time.Minute)
	release := make(chan struct{})
	value, err := held.Get(t.Context(), "key", func(context.Context) (string, error) {
		<-release
		return "b", nil
	})
	if value != "a" || err != nil {
		t.Fatalf("got %q, %v; want the old value without waiting", value, err)
	}
	close(release)
	if value, err := held.Reload(t.Context(), "key", load("b")); value != "b" || err != nil {
		t.Errorf("reload gave %q, %v", value, err)
	}
	if value, _ := held.Peek("key"); value != "b" {
		t.Errorf("held is %q behind the refresh", value)
	}
}

func TestPut(t *testing.T) {
	held, _ := newCache(t, cache.Options{TTL: time.Minute})
	mark := held.Mark()
	held.Invalidate("changed")
	held.Put(mark, "changed", "old")
	held.Put(mark, "kept", "new")
	if value, ok := held.Peek("changed"); ok {
		t.Errorf("a value read before the invalidation was kept: %q", value)
	}
	if value, _ := held.Peek("kept"); value != "new" {
		t.Errorf("held is %q", value)
	}
}

func TestClose(t *testing.T) {
	held, _ := newCache(t, cache.Options{TTL: time.Minute})
	asked, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := held.Get(t.Context(), "key", func(ctx context.Context) (string, error) {
			close(asked)
			<-ctx.Done()
			return "", ctx.Err()
		})
		ended <- err
	}()
	<-asked
	held.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the load under way ended with %v", err)
	}
	if _, err := held.Get(t.Context(), "key", nil); !errors.Is(err, cache.ErrClosed) {
		t.Errorf("a read after the end got %v", err)
	}
}

// TestConcurrentWritesAreSeen has writers that change the upstream and invalidate:
// nobody may read an older value than the last write done before the read began.
func TestConcurrentWritesAreSeen(t *testing.T) {
	held, _ := newCache(t, cache.Options{TTL: time.Minute})
	var upstream, written atomic.Int64
	load := func(context.Context) (string, error) { return fmt.Sprint(upstream.Load()), nil }
	var group sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				least := written.Load()
				value, err := held.Get(t.Context(), "key", load)
				var got int64
				if _, scan := fmt.Sscan(value, &got); err != nil || scan != nil || got < least {
					t.Errorf("read %q, %v after write %d", value, err, least)
					return
				}
			}
		})
	}
	for n := range int64(500) {
		upstream.Store(n)
		held.Invalidate("key")
		written.Store(n)
	}
	close(stop)
	group.Wait()
}
