package loaders

import (
	"context"
	"sync/atomic"
	"time"

	"drydock.dev/drydock/staleness"
)

// aged is a value that was read once for many fields, and its age where it was stale: a
// batch runs in the context of one field, and the others are to hear of it too.
type aged[V any] struct {
	value V
	stale bool
	age   time.Duration
}

// hear reads a value and keeps what the source tells of its age.
func hear[V any](ctx context.Context, read func(context.Context) (V, error)) (aged[V], error) {
	var told atomic.Pointer[time.Duration]
	value, err := read(staleness.With(ctx, func(_ context.Context, age time.Duration) { told.Store(&age) }))
	got := aged[V]{value: value}
	if age := told.Load(); age != nil {
		got.stale, got.age = true, *age
	}
	return got, err
}

// told gives the value, and tells its age to the field that asks.
func (a aged[V]) told(ctx context.Context) V {
	if a.stale {
		staleness.Tell(ctx, a.age)
	}
	return a.value
}
