package resolvers

import (
	"context"

	"drydock.dev/drydock/graph/model"
)

// buildSelector says which builds a subscriber asks for, all of them the viewer's
// own; of an image and a build given together both must hold.
func (r *Resolver) buildSelector(ctx context.Context, id, image *string) (model.BuildSelector, error) {
	login, err := r.home(ctx)
	if err != nil {
		return model.BuildSelector{}, err
	}
	selector := model.BuildSelector{Login: login}
	if image != nil {
		key, err := r.own(ctx, model.KindImage, *image)
		if err != nil {
			return model.BuildSelector{}, err
		}
		selector.Image = key.Name
	}
	if id != nil {
		key, err := r.own(ctx, model.KindBuild, *id)
		if err != nil {
			return model.BuildSelector{}, err
		}
		selector.Build = key.Name
	}
	return selector, nil
}
