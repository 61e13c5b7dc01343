// Package loaders batches and deduplicates the keyed reads of one response: many
// fields ask for many keys, each distinct key is read once, and a level of the
// response is one read where the source has such a read.
//
// Loaders remember what they read, so each response gets fresh ones: With puts
// them into the context, For takes them out. A subscription's root resolver runs
// before its first response and has none.
package loaders

import (
	"context"
	"errors"
	"time"

	"github.com/vikstrous/dataloadgen"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// wait is how long a loader collects keys. It is a clock, not a barrier: a slow
// field may miss the batch and starts the next one.
const wait = time.Millisecond

// Sources are where loaders read.
type Sources struct {
	Accounts Accounts
	Images   Images
	Builds   Builds
}

// Loaders are the loaders of one response.
type Loaders struct {
	accounts *dataloadgen.Loader[string, aged[*model.Account]]
	images   *dataloadgen.Loader[model.Key, *model.Image]
	latest   *dataloadgen.Loader[*model.Image, *model.Build]
	ended    *dataloadgen.Loader[day, int]
}

// New makes the loaders of one response.
func New(sources Sources) *Loaders {
	return &Loaders{
		accounts: mapped(accounts(sources.Accounts)),
		images:   mapped(images(sources.Images)),
		latest:   mapped(latestBuilds(sources.Builds)),
		ended:    mapped(buildsEnded(sources.Builds)),
	}
}

// Forget drops what was read so far: a response that writes shows, after each
// write, what is true then.
func (l *Loaders) Forget() {
	l.accounts.ClearAll()
	l.images.ClearAll()
	l.latest.ClearAll()
	l.ended.ClearAll()
}

type contextKey struct{}

// With puts the loaders of a response into its context.
func With(ctx context.Context, l *Loaders) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// For gives the loaders of the response that the context is of. Without any it
// panics: whoever serves responses forgot With.
func For(ctx context.Context) *Loaders {
	l, ok := ctx.Value(contextKey{}).(*Loaders)
	if !ok {
		panic("loaders: none in this context; a subscription's root resolver has none")
	}
	return l
}

// mapped is a loader of the house's settings. Its fetch gives a value for each key
// that there is, and may name the errors of single keys by a MappedFetchError.
func mapped[K comparable, V any](fetch func(context.Context, []K) (map[K]V, error)) *dataloadgen.Loader[K, V] {
	return dataloadgen.NewMappedLoader(fetch, dataloadgen.WithWait(wait))
}

// load reads one key; a key that the source does not have is fault.NotFound.
func load[K comparable, V any](ctx context.Context, loader *dataloadgen.Loader[K, V], key K) (V, error) {
	value, err := loader.Load(ctx, key)
	if errors.Is(err, dataloadgen.ErrNotFound) {
		err = fault.Wrap(fault.NotFound, err)
	}
	return value, err
}
