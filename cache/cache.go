package cache

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/dgraph-io/ristretto/v2"
	"golang.org/x/sync/singleflight"

	"drydock.dev/drydock/tally"
)

// ErrClosed is what a read of a closed cache gets.
var ErrClosed = errors.New("the cache is closed")

// Options says how long entries live.
type Options struct {
	// Name is the metrics' label.
	Name string
	// Capacity bounds the entries.
	Capacity int64
	// TTL is how long an entry is fresh.
	TTL time.Duration
	// Stale is how much longer it may stand in when the upstream fails.
	Stale time.Duration
	// Refresh serves stale entries at once and loads behind them.
	Refresh bool
	// Negative is how long an error that IsNegative accepts is remembered; 0: not at all.
	Negative   time.Duration
	IsNegative func(error) bool
	// RetryAfter is how long a stale entry is served before a failed upstream is asked
	// again; 5 seconds where 0.
	RetryAfter time.Duration
	// LoadTimeout bounds a load, which outlives the callers that wait for it; 30
	// seconds where 0.
	LoadTimeout time.Duration
	Now         func() time.Time
	Metrics     *Metrics
}

// Load asks the upstream.
type Load[V any] func(ctx context.Context) (V, error)

// Cache holds values of one kind. Values are shared: treat them as immutable.
type Cache[V any] struct {
	options Options
	store   *ristretto.Cache[string, *entry[V]]
	epochs  *epochs
	flights singleflight.Group

	// life ends with Close, and every load with it.
	life context.Context
	end  context.CancelFunc

	mu     sync.Mutex
	closed bool
	loads  sync.WaitGroup
}

// entry is what a load gave. It is never changed.
type entry[V any] struct {
	value V
	// err is a remembered refusal.
	err error
	// mark is the epoch clock as of the load's start.
	mark uint64
	// fresh and stale are until when the entry serves as what.
	fresh, stale time.Time
	// kept marks an old value that stands in for a failed load.
	kept bool
}

// New makes a cache; Close ends it.
func New[V any](options Options) (*Cache[V], error) {
	if options.Metrics == nil {
		options.Metrics, _ = NewMetrics(nil)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.RetryAfter == 0 {
		options.RetryAfter = 5 * time.Second
	}
	if options.LoadTimeout == 0 {
		options.LoadTimeout = 30 * time.Second
	}
	if options.IsNegative == nil {
		options.IsNegative = func(error) bool { return false }
	}
	store, err := ristretto.NewCache(&ristretto.Config[string, *entry[V]]{
		NumCounters:        10 * options.Capacity,
		MaxCost:            options.Capacity,
		BufferItems:        64,
		Metrics:            true,
		IgnoreInternalCost: true,
	})
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	return &Cache[V]{options: options, store: store, epochs: newEpochs(), life: life, end: end}, nil
}

// Get gives the value of a key, from memory or by load. A caller whose context ends
// gets its error; the load goes on for the others, with the values of the context
// that began it.
func (c *Cache[V]) Get(ctx context.Context, key string, load Load[V]) (V, error) {
	now := c.options.Now()
	held := c.held(key)
	switch {
	case held == nil:
	case now.Before(held.fresh):
		if held.kept {
			c.tell(ctx, stale)
		} else {
			c.tell(ctx, hit)
		}
		return held.value, held.err
	case c.options.Refresh && held.err == nil && now.Before(held.stale):
		c.flight(c.life, key, true, load)
		c.tell(ctx, stale)
		return held.value, nil
	}

	var zero V
	select {
	case <-ctx.Done():
		c.tell(ctx, failed)
		return zero, ctx.Err()
	case result := <-c.flight(ctx, key, false, load):
		got, _ := result.Val.(*entry[V])
		return c.answer(ctx, key, got, result.Err)
	}
}

// Reload loads a key, or joins another Reload under way, however fresh the held value is.
func (c *Cache[V]) Reload(ctx context.Context, key string, load Load[V]) (V, error) {
	var zero V
	select {
	case <-ctx.Done():
		return zero, ctx.Err()
	case result := <-c.flight(ctx, key, true, load):
		if result.Err != nil {
			return zero, result.Err
		}
		return result.Val.(*entry[V]).value, nil
	}
}

// answer falls back on an old value where the load failed.
func (c *Cache[V]) answer(ctx context.Context, key string, got *entry[V], err error) (V, error) {
	if err == nil {
		c.tell(ctx, miss)
		return got.value, nil
	}
	var zero V
	if c.options.IsNegative(err) {
		c.tell(ctx, miss)
		return zero, err
	}
	now := c.options.Now()
	held := c.held(key)
	if held == nil || held.err != nil || !now.Before(held.stale) || !c.enter() {
		c.tell(ctx, failed)
		return zero, err
	}
	defer c.loads.Done()
	again := *held
	again.kept = true
	again.fresh = now.Add(c.options.RetryAfter)
	c.keep(key, &again)
	c.tell(ctx, stale)
	return held.value, nil
}

// Peek gives what is held and not invalidated, fresh or old, without a load.
func (c *Cache[V]) Peek(key string) (V, bool) {
	held := c.held(key)
	if held == nil || held.err != nil {
		var zero V
		return zero, false
	}
	return held.value, true
}

// Mark is taken before a read whose answers Put will keep.
func (c *Cache[V]) Mark() uint64 { return c.epochs.now() }

// Put keeps a value that was read by other means since the mark, unless its key was
// invalidated meanwhile.
func (c *Cache[V]) Put(mark uint64, key string, value V) {
	if !c.enter() {
		return
	}
	defer c.loads.Done()
	c.keep(key, c.entry(mark, value))
}

// Invalidate makes the key unknown.
func (c *Cache[V]) Invalidate(key string) {
	c.epochs.invalidate(key)
	if c.enter() {
		defer c.loads.Done()
		c.store.Del(key)
	}
}

// InvalidateAll makes every key unknown.
func (c *Cache[V]) InvalidateAll() { c.epochs.invalidateAll() }

// Close ends the loads under way and waits for them.
func (c *Cache[V]) Close() {
	c.mu.Lock()
	was := c.closed
	c.closed = true
	c.mu.Unlock()
	if was {
		return
	}
	c.end()
	c.loads.Wait()
	c.store.Close()
}

// held is the entry of a key, unless it was invalidated since its load began.
func (c *Cache[V]) held(key string) *entry[V] {
	held, ok := c.store.Get(key)
	if !ok || held.mark < c.epochs.of(key) {
		return nil
	}
	return held
}

// enter announces work on the store, which Close waits for; false once closed.
func (c *Cache[V]) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.loads.Add(1)
	return true
}

// flight loads a key, or joins the load of the same key and epoch. Unless it is to load
// anew, a value that came between the caller's look at the store and this one serves.
func (c *Cache[V]) flight(ctx context.Context, key string, anew bool, load Load[V]) <-chan singleflight.Result {
	name := strconv.FormatBool(anew) + strconv.FormatUint(c.epochs.of(key), 36) + "\x00" + key
	return c.flights.DoChan(name, func() (any, error) {
		if !c.enter() {
			return nil, ErrClosed
		}
		defer c.loads.Done()
		if held := c.held(key); !anew && held != nil && !held.kept && c.options.Now().Before(held.fresh) {
			return held, held.err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.LoadTimeout)
		defer cancel()
		defer context.AfterFunc(c.life, cancel)()
		return c.load(ctx, key, load)
	})
}

func (c *Cache[V]) load(ctx context.Context, key string, load Load[V]) (*entry[V], error) {
	mark := c.epochs.now()
	value, err := load(ctx)
	if err != nil {
		if c.options.IsNegative(err) {
			until := c.options.Now().Add(c.options.Negative)
			c.keep(key, &entry[V]{err: err, mark: mark, fresh: until, stale: until})
		}
		return nil, err
	}
	got := c.entry(mark, value)
	c.keep(key, got)
	return got, nil
}

func (c *Cache[V]) entry(mark uint64, value V) *entry[V] {
	now := c.options.Now()
	return &entry[V]{value: value, mark: mark, fresh: now.Add(c.options.TTL), stale: now.Add(c.options.TTL + c.options.Stale)}
}

// keep writes an entry and waits until ristretto has it, so that what was just loaded
// is there for the next read.
func (c *Cache[V]) keep(key string, e *entry[V]) {
	if e.mark < c.epochs.of(key) {
		return
	}
	c.store.SetWithTTL(key, e, 1, c.options.TTL+c.options.Stale+c.options.Negative)
	c.store.Wait()
}

func (c *Cache[V]) tell(ctx context.Context, outcome string) {
	c.options.Metrics.requests.WithLabelValues(c.options.Name, outcome).Inc()
	tally.Add(ctx, tally.Reads, outcome)
}
