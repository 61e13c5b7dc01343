package resolvers

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/signing"
)

// Triggers are how this installation starts builds besides people.
type Triggers struct {
	// Pushes is where images' nonces are kept.
	Pushes Pushes
	// Keys make the secrets of webhooks; without any there are no webhooks.
	Keys *signing.Keys
	// WebhookURL is what images' webhooks are below.
	WebhookURL string
	// MinInterval is the shortest time between two runs of a schedule.
	MinInterval time.Duration
	// Now is the clock.
	Now func() time.Time
}

// Pushes is where the nonces of images' webhooks are kept. A key without an image is
// fault.NotFound, one whose push is off fault.Conflict.
type Pushes interface {
	RotatePushNonce(ctx context.Context, key model.Key, clientMutationID string) (*model.Image, error)
}

// check holds an input to what this installation can do.
func (t *Triggers) check(in *model.ImageTriggersInput) error {
	if in == nil {
		return nil
	}
	if in.Push {
		if err := t.webhooks(); err != nil {
			return err
		}
	}
	if in.Schedule == nil {
		return nil
	}
	schedule, err := model.ParseSchedule(*in.Schedule)
	if err == nil && schedule.Interval() < t.MinInterval {
		return fault.New(fault.BadUserInput, "triggers.schedule leaves %s between two builds at the shortest: this installation takes schedules of %s and more.",
			schedule.Interval(), t.MinInterval)
	}
	return nil // what is no cron line is refused with all else that is wrong
}

func (t *Triggers) webhooks() error {
	if t.Keys.Known() {
		return nil
	}
	return fault.New(fault.Conflict, "Pushes cannot start builds here yet: the operator of this installation has to set --signing-keys (DRYDOCK_SIGNING_KEYS).")
}

// url is where an image's pushes are sent; nil where push is off.
func (t *Triggers) url(image *model.Image) *string {
	if !image.Triggers.Push {
		return nil
	}
	return new(t.WebhookURL + "/" + image.ID())
}

// shown is the webhook of an image where this mutation made its secret; nil for any other.
func (t *Triggers) shown(image *model.Image, mutationID *string) *model.PushWebhook {
	if image == nil || image.PushIdentity() == "" || image.Triggers.PushNonce != model.PushNonce(text(mutationID)) {
		return nil
	}
	return &model.PushWebhook{URL: *t.url(image), Secret: t.Keys.Secret(signing.GitHubPush, image.PushIdentity())}
}

// named is the clientMutationID of a change that may turn push on, or one of ours where it
// has none: the change is to be known by the secret that it made.
func named(in *model.ImageTriggersInput, mutationID *string) *string {
	if in != nil && in.Push && text(mutationID) == "" {
		return new(rand.Text())
	}
	return mutationID
}

// rotatePushSecret makes a new secret for one of the viewer's images, and writes that to
// the log.
func (r *Resolver) rotatePushSecret(ctx context.Context, input model.RotatePushSecretInput) (*model.RotatePushSecretPayload, error) {
	key, err := r.changeOwn(ctx, model.KindImage, input.Image, input.ClientMutationID)
	if err != nil {
		return nil, err
	}
	if err := r.triggers.webhooks(); err != nil {
		return nil, err
	}
	mutation := named(&model.ImageTriggersInput{Push: true}, input.ClientMutationID)
	image, err := r.triggers.Pushes.RotatePushNonce(ctx, key, *mutation)
	if err != nil {
		return nil, err
	}
	webhook := r.triggers.shown(image, new(model.Rotation(*mutation)))
	if webhook == nil {
		return nil, fault.New(fault.Conflict, "This clientMutationID made a secret that another one has replaced since: send a new one.")
	}
	r.audit(ctx, key.Login, "rotatePushSecret", true, slog.String("image", key.Name))
	return &model.RotatePushSecretPayload{Image: image, PushWebhook: webhook, ClientMutationID: input.ClientMutationID}, nil
}
