package resolvers

import (
	"context"
	"log/slog"

	"drydock.dev/drydock/graph/model"
)

// Registries is where registry credentials are kept. A key without one, whose name is
// the registry, is fault.NotFound.
type Registries interface {
	RegistryCredentials(ctx context.Context, login string) ([]*model.RegistryCredential, error)
	RegistryCredential(ctx context.Context, key model.Key) (*model.RegistryCredential, error)
	// SetRegistryCredential keeps what is legal, new, and passes try.
	SetRegistryCredential(ctx context.Context, owner model.Owner, input model.SetRegistryCredentialInput, try func(context.Context) error) (*model.RegistryCredential, error)
	DeleteRegistryCredential(ctx context.Context, key model.Key, clientMutationID string) error
}

// Logins tries logins at registries.
type Logins interface {
	// Try is fault.BadUserInput for a login that the registry, host[:port], refuses, and
	// fault.Unavailable for a registry that cannot be reached.
	Try(ctx context.Context, registry, username, password string) error
}

// setCredential keeps a login of the viewer's that its registry takes, and writes that
// to the log.
func (r *Resolver) setCredential(ctx context.Context, input model.SetRegistryCredentialInput) (*model.RegistryCredential, error) {
	login, err := change(ctx, input.ClientMutationID)
	if err != nil {
		return nil, err
	}
	account, err := r.viewerAccount(ctx)
	if err != nil {
		return nil, err
	}
	credential, err := r.registries.SetRegistryCredential(ctx, account.Owner(), input, func(ctx context.Context) error {
		return r.logins.Try(ctx, model.CanonicalRegistry(input.Registry), input.Username, input.Password)
	})
	if err != nil {
		return nil, err
	}
	r.audit(ctx, login, "setRegistryCredential", true, slog.String("registry", credential.Registry))
	return credential, nil
}

// deleteCredential forgets a login of the viewer's, and writes that to the log.
func (r *Resolver) deleteCredential(ctx context.Context, input model.DeleteRegistryCredentialInput) error {
	key, err := r.changeOwn(ctx, model.KindRegistryCredential, input.ID, input.ClientMutationID)
	if err != nil {
		return err
	}
	if err := r.registries.DeleteRegistryCredential(ctx, key, text(input.ClientMutationID)); err != nil {
		return err
	}
	r.audit(ctx, key.Login, "deleteRegistryCredential", true, slog.String("registry", key.Name))
	return nil
}

// ownCredential is the viewer's credential of an id.
func (r *Resolver) ownCredential(ctx context.Context, id string) (*model.RegistryCredential, error) {
	key, err := r.own(ctx, model.KindRegistryCredential, id)
	if err != nil {
		return nil, err
	}
	return r.registries.RegistryCredential(ctx, key)
}
