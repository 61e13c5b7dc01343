package cluster

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

const noImage = "There is no such image in this account."

// Image returns one image. Unknown ones are fault.NotFound.
// Kubernetes: no request.
func (c *Client) Image(_ context.Context, key model.Key) (*model.Image, error) {
	image, ok := c.images.get(v1alpha1.Namespace(key.Login), key.Name)
	if !ok {
		return nil, fault.New(fault.NotFound, noImage)
	}
	return image, nil
}

// Images returns a page of an account's images, by name unless another order is asked
// for. A page size or cursor that is not legal is fault.BadUserInput.
// Kubernetes: no request.
func (c *Client) Images(_ context.Context, query model.ImageQuery) (model.Slice[*model.Image], error) {
	order := model.ImageOrder{Field: model.ImageOrderFieldName, Direction: model.OrderDirectionAsc}
	if query.Order != nil {
		order = *query.Order
	}
	list := "images." + string(order.Field) + "." + string(order.Direction)
	return paginate(list, order.Direction == model.OrderDirectionDesc, query.Page, c.sortedImages(query, order))
}

// sortedImages gives the images that pass the filter, each with its place in the order.
func (c *Client) sortedImages(query model.ImageQuery, order model.ImageOrder) iter.Seq2[place, *model.Image] {
	type placed struct {
		place
		image *model.Image
	}
	var items []placed
	for _, image := range slices.Collect(c.images.all(byAccount, v1alpha1.Namespace(query.Login))) {
		latest, _ := c.builds.first(byImage, imageGroup(v1alpha1.Namespace(query.Login), image.UID))
		if passes(query.Filter, image, latest) {
			items = append(items, placed{imagePlace(order, image, latest), image})
		}
	}
	slices.SortFunc(items, func(a, b placed) int { return a.compare(b.place) })
	return func(yield func(place, *model.Image) bool) {
		for _, item := range items {
			if !yield(item.place, item.image) {
				return
			}
		}
	}
}

func imagePlace(order model.ImageOrder, image *model.Image, latest *build) place {
	at := place{name: image.Key.Name, down: order.Direction == model.OrderDirectionDesc}
	switch {
	case order.Field == model.ImageOrderFieldCreatedAt:
		at.time = image.CreatedAt.Unix()
	case order.Field == model.ImageOrderFieldLatestBuildAt && latest != nil:
		at.time = latest.QueuedAt.Unix()
	case order.Field == model.ImageOrderFieldLatestBuildAt:
		at.last = true
	}
	return at
}

func passes(filter *model.ImageFilter, image *model.Image, latest *build) bool {
	switch filter = cmp.Or(filter, &model.ImageFilter{}); {
	case filter.NameContains != nil && !strings.Contains(image.Key.Name, strings.ToLower(*filter.NameContains)):
		return false
	case filter.Suspended != nil && image.Suspended != *filter.Suspended:
		return false
	case len(filter.LatestPhase) > 0:
		return latest != nil && slices.Contains(filter.LatestPhase, latest.Phase)
	default:
		return true
	}
}
