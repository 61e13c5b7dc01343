package cluster

import (
	"context"
	"iter"
	"slices"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// presentBuilds is how many ended builds a subscriber to many gets to begin with; of
// the unfinished ones it gets all.
const presentBuilds = 100

// WatchImage sends the present state of an image at once, then every change; states
// that follow each other faster than the reader takes them are merged into the newest.
// The channel is closed when the image is gone, the context ends or the client is
// closed. Unknown images are fault.NotFound.
// Kubernetes: no request.
func (c *Client) WatchImage(ctx context.Context, key model.Key) (<-chan *model.Image, error) {
	topic := v1alpha1.Namespace(key.Login)
	present, changes := c.images.subscribe(topic, func(i *model.Image) bool { return i.Key == key }, slices.Collect[*model.Image])
	if len(present) == 0 {
		c.images.hub.unsubscribe(topic, changes)
		return nil, fault.New(fault.NotFound, noImage)
	}
	return stream(ctx, c, c.images.hub, topic, changes, present, true, func(i *model.Image) *model.Image { return i }), nil
}

// WatchBuilds sends the present state of builds at once, oldest first, then every
// change, merged as WatchImage says: of one build until it is gone; of one image's
// builds; or of all the account's. Of many builds the unfinished ones and the newest
// others are sent to begin with. An unknown build or image is fault.NotFound.
// Kubernetes: no request.
func (c *Client) WatchBuilds(ctx context.Context, selector model.BuildSelector) (<-chan *model.Build, error) {
	topic := v1alpha1.Namespace(selector.Login)
	uid := ""
	if selector.Image != "" {
		image, err := c.Image(ctx, model.Key{Login: selector.Login, Name: selector.Image})
		if err != nil {
			return nil, err
		}
		uid = image.UID
	}
	wants := func(b *build) bool {
		return (selector.Build == "" || b.Key.Name == selector.Build) && (uid == "" || b.ImageUID == uid)
	}
	present, changes := c.builds.subscribe(topic, wants, toBeginWith)
	one := selector.Build != ""
	if one && len(present) == 0 {
		c.builds.hub.unsubscribe(topic, changes)
		return nil, fault.New(fault.NotFound, noBuild)
	}
	return stream(ctx, c, c.builds.hub, topic, changes, present, one, func(b *build) *model.Build { return b.Build }), nil
}

// toBeginWith picks from builds that come newest first, and gives the oldest first.
func toBeginWith(builds iter.Seq[*build]) []*build {
	var picked []*build
	for b := range builds {
		if len(picked) < presentBuilds || !b.Phase.Done() {
			picked = append(picked, b)
		}
	}
	slices.Reverse(picked)
	return picked
}

// stream sends the present values, then the changes, until the context ends; and where
// the subscription is to one object alone, until that is gone.
func stream[T, M any](ctx context.Context, c *Client, h *hub[T], topic string, changes *subscriber[T], present []T, one bool, show func(T) M) <-chan M {
	out := make(chan M)
	c.spawn(ctx, func(ctx context.Context) {
		defer close(out)
		defer h.unsubscribe(topic, changes)
		send := func(value T) bool {
			select {
			case out <- show(value):
				return true
			case <-ctx.Done():
				return false
			}
		}
		for _, value := range present {
			if !send(value) {
				return
			}
		}
		present = nil
		for {
			next, ok := changes.take(ctx)
			if !ok || next.gone && one {
				return
			}
			if !next.gone && !next.quiet && !send(next.value) {
				return
			}
		}
	})
	return out
}
