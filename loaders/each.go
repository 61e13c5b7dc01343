package loaders

import (
	"context"
	"sync"

	"github.com/vikstrous/dataloadgen"
	"golang.org/x/sync/errgroup"
)

// each reads keys one by one, at most limit at a time, for sources without a read
// of many. A key that fails fails alone: the others are in the map.
func each[K comparable, V any](ctx context.Context, keys []K, limit int, read func(context.Context, K) (V, error)) (map[K]V, error) {
	var (
		mu     sync.Mutex
		values = make(map[K]V, len(keys))
		failed = dataloadgen.MappedFetchError[K]{}
		group  errgroup.Group
	)
	group.SetLimit(limit)
	for _, key := range keys {
		group.Go(func() error {
			value, err := read(ctx, key)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed[key] = err
				return nil
			}
			values[key] = value
			return nil
		})
	}
	_ = group.Wait() // no member returns an error: they are in failed, by key
	return values, failed
}
