// Package staleness lets who serves an old value, because the upstream did not give a new
// one, tell it to whoever shows the value.
package staleness

import (
	"context"
	"time"
)

// Told hears that a stale value was served below the context, and how long ago it was
// read. The context is the one in which it was told. It is called from any goroutine,
// also when the response is done with, and must not block.
type Told func(ctx context.Context, age time.Duration)

type key struct{}

// With makes told hear of every stale value below the context, in place of who heard so far.
func With(ctx context.Context, told Told) context.Context {
	return context.WithValue(ctx, key{}, told)
}

// Tell tells that a value of this age stands in for a new one. Without anybody who hears
// it does nothing.
func Tell(ctx context.Context, age time.Duration) {
	if told, ok := ctx.Value(key{}).(Told); ok {
		told(ctx, max(0, age))
	}
}
