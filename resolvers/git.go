package resolvers

import (
	"context"
	"log/slog"

	"drydock.dev/drydock/graph/model"
)

// GitCredentials is where images' git credentials are kept. A key without an image is
// fault.NotFound.
type GitCredentials interface {
	SetGitCredential(ctx context.Context, key model.Key, input model.SetGitCredentialInput) (*model.Image, error)
	DeleteGitCredential(ctx context.Context, key model.Key, clientMutationID string) (*model.Image, error)
}

// Repositories tries credentials for git.
type Repositories interface {
	// Try is fault.BadUserInput for a credential that the repository's host refuses, and nil
	// for a host that cannot be asked.
	Try(ctx context.Context, repository string, input model.SetGitCredentialInput) error
}

// setGit keeps a credential for one of the viewer's images that its host does not refuse,
// and writes that to the log.
func (r *Resolver) setGit(ctx context.Context, input model.SetGitCredentialInput) (*model.Image, error) {
	key, err := r.changeOwn(ctx, model.KindImage, input.Image, input.ClientMutationID)
	if err != nil {
		return nil, err
	}
	// An image that this replica has not heard of yet is left to SetGitCredential.
	if known, err := r.images.Image(ctx, key); err == nil {
		if err := r.repositories.Try(ctx, known.Source.Repository, input); err != nil {
			return nil, err
		}
	}
	image, err := r.git.SetGitCredential(ctx, key, input)
	if err != nil {
		return nil, err
	}
	r.audit(ctx, key.Login, "setGitCredential", true, slog.String("image", key.Name))
	return image, nil
}

// deleteGit forgets the credential of one of the viewer's images, and writes that to the log.
func (r *Resolver) deleteGit(ctx context.Context, input model.DeleteGitCredentialInput) (*model.Image, error) {
	key, err := r.changeOwn(ctx, model.KindImage, input.Image, input.ClientMutationID)
	if err != nil {
		return nil, err
	}
	image, err := r.git.DeleteGitCredential(ctx, key, text(input.ClientMutationID))
	if err != nil {
		return nil, err
	}
	r.audit(ctx, key.Login, "deleteGitCredential", true, slog.String("image", key.Name))
	return image, nil
}
