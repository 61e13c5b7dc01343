package resolvers

import (
	"context"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// own takes the id of an image or a build apart. Another account's id is
// fault.NotFound, just as one of nothing at all.
func (r *Resolver) own(ctx context.Context, kind, id string) (model.Key, error) {
	login, err := r.home(ctx)
	if err != nil {
		return model.Key{}, err
	}
	key, ok := model.DecodeKey(kind, id)
	if !ok {
		return model.Key{}, fault.New(fault.BadUserInput, "This is not the id of kind %s that is asked for here: give back an id field as it came.", kind)
	}
	if key.Login != login {
		return model.Key{}, &fault.Error{Kind: fault.NotFound}
	}
	return key, nil
}

// ownImage is the viewer's image of an id.
func (r *Resolver) ownImage(ctx context.Context, id string) (*model.Image, error) {
	key, err := r.own(ctx, model.KindImage, id)
	if err != nil {
		return nil, err
	}
	return r.images.Image(ctx, key)
}

// ownBuild is the viewer's build of an id.
func (r *Resolver) ownBuild(ctx context.Context, id string) (*model.Build, error) {
	key, err := r.own(ctx, model.KindBuild, id)
	if err != nil {
		return nil, err
	}
	return r.builds.Build(ctx, key)
}
