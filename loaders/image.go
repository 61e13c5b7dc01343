package loaders

import (
	"context"

	"github.com/vikstrous/dataloadgen"

	"drydock.dev/drydock/graph/model"
)

// Images is where images are read: a store in memory.
type Images interface {
	// Image is fault.NotFound where there is none.
	Image(ctx context.Context, key model.Key) (*model.Image, error)
}

// Image reads the image of a key.
func (l *Loaders) Image(ctx context.Context, key model.Key) (*model.Image, error) {
	return load(ctx, l.images, key)
}

// images reads keys one after another: the store is in memory. A key that fails
// fails alone.
func images(source Images) func(context.Context, []model.Key) (map[model.Key]*model.Image, error) {
	return func(ctx context.Context, keys []model.Key) (map[model.Key]*model.Image, error) {
		found := make(map[model.Key]*model.Image, len(keys))
		failed := dataloadgen.MappedFetchError[model.Key]{}
		for _, key := range keys {
			image, err := source.Image(ctx, key)
			if err != nil {
				failed[key] = err
				continue
			}
			found[key] = image
		}
		return found, failed
	}
}
