package resolvers

import (
	"context"
	"log/slog"

	"drydock.dev/drydock/graph/model"
)

// BuildSecrets is where images' build secrets are kept. A key without an image is
// fault.NotFound.
type BuildSecrets interface {
	SetBuildSecret(ctx context.Context, key model.Key, input model.SetBuildSecretInput) (*model.Image, error)
	DeleteBuildSecret(ctx context.Context, key model.Key, secret, clientMutationID string) (*model.Image, error)
}

// setSecret keeps a secret for the builds of one of the viewer's images, and writes that to the log.
func (r *Resolver) setSecret(ctx context.Context, input model.SetBuildSecretInput) (*model.Image, error) {
	key, err := r.changeOwn(ctx, model.KindImage, input.Image, input.ClientMutationID)
	if err != nil {
		return nil, err
	}
	image, err := r.secrets.SetBuildSecret(ctx, key, input)
	if err != nil {
		return nil, err
	}
	r.audit(ctx, key.Login, "setBuildSecret", true, slog.String("image", key.Name), slog.String("key", input.Key))
	return image, nil
}

// deleteSecret forgets one of the viewer's build secrets, and writes that to the log.
func (r *Resolver) deleteSecret(ctx context.Context, input model.DeleteBuildSecretInput) (*model.Image, error) {
	key, err := r.changeOwn(ctx, model.KindImage, input.Image, input.ClientMutationID)
	if err != nil {
		return nil, err
	}
	image, err := r.secrets.DeleteBuildSecret(ctx, key, input.Key, text(input.ClientMutationID))
	if err != nil {
		return nil, err
	}
	r.audit(ctx, key.Login, "deleteBuildSecret", true, slog.String("image", key.Name), slog.String("key", input.Key))
	return image, nil
}
