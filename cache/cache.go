package cache

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/dgraph-io/ristretto/v2"
	"golang.org/x/sync/singleflight"

	"drydock.dev/drydock/staleness"
	"drydock.dev/drydock/tally"
	"drydock.dev/drydock/transport"
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
	// Refresh serves entries past their TTL at once and loads behind them. One that stands
	// in for a failed load is asked for as ever.
	Refresh bool
	// Negative is how long an error that IsNegative accepts is remembered; 0: not at all.
	Negative   time.Duration
	IsNegative func(error) bool
	// RetryAfter is how long a stale entry is served before a failed upstream is asked
	// again; 5 seconds where 0.
	RetryAfter time.Duration
	// Patience is how long a caller waits for a load while a stale entry is at hand; then
	// that is served, and the load goes on. 0: as long as the load takes.
	Patience time.Duration
	// Renewed hears of the keys whose old value stood in, for a failed load or a slow one,
	// once what took its place is there to be read: who was given the old one may look
	// again. It must not block.
	Renewed func(key string)
	// LoadTimeout bounds a load, which outlives the callers that wait for it; 30
	// seconds where 0.
	LoadTimeout time.Duration
	Now         func() time.Time
	Metrics     *Metrics
}

// Load asks the upstream. What it reads of other caches is waited for: it is the reader
// of this one who may be impatient.
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
	// writing orders the writes of entries, each of which looks at what is there.
	writing sync.Mutex
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

// Get gives the value of a key, from memory or by load. Where the load fails, or takes
// longer than the patience, the last known value stands in, and staleness.Tell tells its
// age. A caller whose context ends gets its error; the load goes on for the others, with
// the values of the context that began it.
func (c *Cache[V]) Get(ctx context.Context, key string, load Load[V]) (V, error) {
	now := c.options.Now()
	held := c.held(key)
	switch {
	case held == nil:
	case now.Before(held.fresh) && held.kept:
		return c.stale(ctx, held), nil
	case now.Before(held.fresh):
		c.tell(ctx, hit)
		return held.value, held.err
	case c.options.Refresh && !loading(ctx) && held.err == nil && !held.kept && now.Before(held.stale):
		c.flight(transport.WithPriority(c.life, transport.Background), key, true, load)
		return c.stale(ctx, held), nil
	}
	epoch := c.epochs.of(key)
	loaded := c.flight(ctx, key, false, load)
	var patience <-chan time.Time
	if c.options.Patience > 0 && !loading(ctx) && c.standIn(key) != nil {
		timer := time.NewTimer(c.options.Patience)
		defer timer.Stop()
		patience = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			c.tell(ctx, failed)
			var zero V
			return zero, ctx.Err()
		case result := <-loaded:
			got, _ := result.Val.(*entry[V])
			return c.answer(ctx, key, got, result.Err)
		case <-patience:
			switch held := c.insteadOfSlow(ctx, key, epoch); {
			case held == nil:
				patience = nil // what was at hand is gone
			case c.current(key, held):
				c.tell(ctx, miss) // it came this moment
				return held.value, nil
			default:
				return c.stale(ctx, held), nil
			}
		}
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

// answer is a load's, or the last known value where it failed.
func (c *Cache[V]) answer(ctx context.Context, key string, got *entry[V], err error) (V, error) {
	switch {
	case err == nil && got.kept:
		return c.stale(ctx, got), nil
	case err == nil:
		c.tell(ctx, miss)
		return got.value, nil
	case c.options.IsNegative(err):
		c.tell(ctx, miss)
	default:
		if held := c.standIn(key); held != nil {
			return c.stale(ctx, held), nil
		}
		c.tell(ctx, failed)
	}
	var zero V
	return zero, err
}

// Peek gives the last known value, fresh or old, invalidated or not, without a load.
func (c *Cache[V]) Peek(key string) (V, bool) {
	held, ok := c.store.Get(key)
	if !ok || held.err != nil {
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

// Invalidate makes the next read of the key load it. What is held stays to stand in if
// that load fails. Keys that are alike up to their first NUL byte go together: any of
// them, or that beginning alone, invalidates all.
func (c *Cache[V]) Invalidate(key string) { c.epochs.invalidate(key) }

// InvalidateAll does so with every key.
func (c *Cache[V]) InvalidateAll() { c.epochs.invalidateAll() }

// Forget is Invalidate for what must not even stand in: no old value of the key is served
// again, whatever the upstream does.
func (c *Cache[V]) Forget(key string) {
	if !c.enter() {
		return
	}
	defer c.loads.Done()
	c.writing.Lock()
	defer c.writing.Unlock()
	c.epochs.invalidate(key)
	c.store.Del(key)
	c.store.Wait()
}

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

// flight loads a key, or joins the load of the same key, epoch and priority: a load that
// nobody waits for may be long in coming. Unless it is to load anew, a value that came
// between the caller's look at the store and this one serves.
func (c *Cache[V]) flight(ctx context.Context, key string, anew bool, load Load[V]) <-chan singleflight.Result {
	name := strconv.FormatBool(anew) + transport.PriorityOf(ctx).String() + strconv.FormatUint(c.epochs.of(key), 36) + "\x00" + key
	return c.flights.DoChan(name, func() (any, error) {
		if !c.enter() {
			return nil, ErrClosed
		}
		defer c.loads.Done()
		if held := c.held(key); !anew && held != nil && c.current(key, held) {
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
	var oldest oldest
	value, err := load(context.WithValue(staleness.With(ctx, oldest.told), loadKey{}, true))
	if err != nil {
		switch {
		case c.options.IsNegative(err):
			now := c.options.Now()
			until := now.Add(c.options.Negative)
			c.keep(key, &entry[V]{err: err, mark: mark, read: now, fresh: until, stale: until})
		case errors.Is(err, transport.ErrLimited):
			// Nothing was sent: the next reader's turn may come sooner.
		default:
			c.cover(key, mark)
		}
		return nil, err
	}
	got := c.entry(mark, value)
	if age, stale := oldest.age(); stale {
		// What was made of stale values is stale itself.
		got.kept, got.fresh = true, got.read.Add(c.options.RetryAfter)
		got.read, got.stale = got.read.Add(-age), got.stale.Add(-age)
	}
	c.keep(key, got)
	return got, nil
}

func (c *Cache[V]) tell(ctx context.Context, outcome string) {
	c.options.Metrics.requests.WithLabelValues(c.options.Name, outcome).Inc()
	tally.Add(ctx, tally.Reads, outcome)
}

// loadKey marks the contexts of loads.
type loadKey struct{}

// loading tells whether a read is part of another cache's load.
func loading(ctx context.Context) bool { return ctx.Value(loadKey{}) != nil }
