package cache

import (
	"context"
	"time"

	"drydock.dev/drydock/staleness"
	"drydock.dev/drydock/transport"
)

// entry is what a load gave. It is never changed.
type entry[V any] struct {
	value V
	// err is a remembered refusal.
	err error
	// mark is the epoch clock as of the load's start.
	mark uint64
	// read is when the upstream gave the value; fresh and stale are until when the entry
	// serves as what.
	read, fresh, stale time.Time
	// kept marks an old value that stands in for a new one.
	kept bool
}

// held is the entry of a key, unless it was invalidated since its load began.
func (c *Cache[V]) held(key string) *entry[V] {
	held, ok := c.store.Get(key)
	if !ok || held.mark < c.epochs.of(key) {
		return nil
	}
	return held
}

// Perishable is a value that knows a time from which on it is not fresh, if that comes
// before its TTL's end.
type Perishable interface{ FreshUntil() time.Time }

func (c *Cache[V]) entry(mark uint64, value V) *entry[V] {
	now := c.options.Now()
	fresh := now.Add(c.options.TTL)
	if perishable, ok := any(value).(Perishable); ok {
		if until := perishable.FreshUntil(); until.Before(fresh) {
			fresh = until
		}
	}
	return &entry[V]{value: value, mark: mark, read: now, fresh: fresh, stale: now.Add(c.options.TTL + c.options.Stale)}
}

// standIn is what may be served in place of a new value, also after an invalidation.
func (c *Cache[V]) standIn(key string) *entry[V] {
	held, ok := c.store.Get(key)
	if !ok || held.err != nil || !c.options.Now().Before(held.stale) {
		return nil
	}
	return held
}

// current tells whether an entry is fresh, and was read since the key's last invalidation.
func (c *Cache[V]) current(key string, held *entry[V]) bool {
	return !held.kept && held.mark >= c.epochs.of(key) && c.options.Now().Before(held.fresh)
}

// insteadOfSlow is what a reader gets whose patience is over. Where nobody waits for that
// reader, others go on asking: its load may be slow for lack of priority alone.
func (c *Cache[V]) insteadOfSlow(ctx context.Context, key string, mark uint64) *entry[V] {
	if transport.PriorityOf(ctx) == transport.Background {
		return c.standIn(key)
	}
	return c.cover(key, mark)
}

// cover makes the last known value stand in for a while without a load: one that began
// at the mark failed, or takes long. It gives that value, or a newer one that came
// meanwhile; nil without any.
func (c *Cache[V]) cover(key string, mark uint64) *entry[V] {
	if !c.enter() {
		return nil
	}
	defer c.loads.Done()
	c.writing.Lock()
	defer c.writing.Unlock()
	held := c.standIn(key)
	if held == nil || c.current(key, held) {
		return held
	}
	again := *held
	again.kept, again.mark = true, max(mark, held.mark)
	again.fresh = c.options.Now().Add(c.options.RetryAfter)
	c.write(key, &again)
	return &again
}

// keep writes an entry, unless it is older than the key's last invalidation, and tells
// where it ends the time of one that stood in.
func (c *Cache[V]) keep(key string, e *entry[V]) {
	if c.replace(key, e) && c.options.Renewed != nil {
		c.options.Renewed(key)
	}
}

func (c *Cache[V]) replace(key string, e *entry[V]) (renewed bool) {
	c.writing.Lock()
	defer c.writing.Unlock()
	was, ok := c.store.Get(key)
	c.write(key, e)
	return ok && !e.kept && (was.kept || c.options.Refresh && !c.options.Now().Before(was.fresh))
}

// write waits until ristretto has the entry, so that what was just loaded is there for
// the next read.
func (c *Cache[V]) write(key string, e *entry[V]) {
	if e.mark < c.epochs.of(key) {
		return
	}
	c.store.SetWithTTL(key, e, 1, c.options.TTL+c.options.Stale+c.options.Negative)
	c.store.Wait()
}

// stale is the value of an entry that stands in.
func (c *Cache[V]) stale(ctx context.Context, held *entry[V]) V {
	c.tell(ctx, stale)
	staleness.Tell(ctx, c.options.Now().Sub(held.read))
	return held.value
}
