package resolvers

import (
	"context"
	"log/slog"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/signing"
)

// Webhooks are what images' webhooks need.
type Webhooks struct {
	// Keeper is where they are kept.
	Keeper WebhookKeeper
	// Rules say where they may lead.
	Rules WebhookRules
	// Keys make their secrets; without any there are none.
	Keys *signing.Keys
}

// WebhookKeeper is where images' webhooks are kept. A key without an image is
// fault.NotFound.
type WebhookKeeper interface {
	// SetWebhook gives the identity that the webhook's secret is derived of, too.
	SetWebhook(ctx context.Context, key model.Key, input model.SetWebhookInput) (image *model.Image, identity string, err error)
	DeleteWebhook(ctx context.Context, key model.Key, clientMutationID string) (*model.Image, error)
}

// WebhookRules say where webhooks may lead.
type WebhookRules interface {
	// Check is fault.BadUserInput for an address that no webhook may lead to.
	Check(ctx context.Context, url string) error
}

// setWebhook has an address told of one of the viewer's images, writes that to the log,
// and gives the secret. The address is not logged: it may hold a token.
func (r *Resolver) setWebhook(ctx context.Context, input model.SetWebhookInput) (image *model.Image, secret string, err error) {
	key, err := r.changeOwn(ctx, model.KindImage, input.Image, input.ClientMutationID)
	if err != nil {
		return nil, "", err
	}
	if !r.webhooks.Keys.Known() {
		return nil, "", fault.New(fault.Conflict, "Nobody can be told of builds here yet: the operator of this installation has to set --signing-keys (DRYDOCK_SIGNING_KEYS).")
	}
	if _, err := r.images.Image(ctx, key); err != nil {
		return nil, "", err
	}
	if err := r.webhooks.Rules.Check(ctx, input.URL); err != nil {
		return nil, "", err
	}
	image, identity, err := r.webhooks.Keeper.SetWebhook(ctx, key, input)
	if err != nil {
		return nil, "", err
	}
	r.audit(ctx, key.Login, "setWebhook", true, slog.String("image", key.Name))
	return image, r.webhooks.Keys.Secret(signing.OutgoingWebhook, identity), nil
}

// deleteWebhook has nobody told of one of the viewer's images, and writes that to the log.
func (r *Resolver) deleteWebhook(ctx context.Context, input model.DeleteWebhookInput) (*model.Image, error) {
	key, err := r.changeOwn(ctx, model.KindImage, input.Image, input.ClientMutationID)
	if err != nil {
		return nil, err
	}
	image, err := r.webhooks.Keeper.DeleteWebhook(ctx, key, text(input.ClientMutationID))
	if err != nil {
		return nil, err
	}
	r.audit(ctx, key.Login, "deleteWebhook", true, slog.String("image", key.Name))
	return image, nil
}
