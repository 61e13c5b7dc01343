package loaders

import (
	"context"

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

func images(source Images) func(context.Context, []model.Key) (map[model.Key]*model.Image, error) {
	return func(ctx context.Context, keys []model.Key) (map[model.Key]*model.Image, error) {
		return each(ctx, keys, 1, source.Image)
	}
}
