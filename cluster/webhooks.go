package cluster

import (
	"context"
	"crypto/rand"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// SetWebhook has an address told of an image's builds that end, in place of the one there
// is, and gives the image and the identity of the webhook's secret. The same
// clientMutationID again gives the same secret, as long as few other changes came in
// between. Faults: BadUserInput, NotFound.
// Kubernetes: GET and PUT of the image, again where somebody wrote in between.
func (c *Client) SetWebhook(ctx context.Context, key model.Key, in model.SetWebhookInput) (image *model.Image, identity string, err error) {
	if err := invalid(in.Validate()); err != nil {
		return nil, "", err
	}
	hook := &v1alpha1.ImageWebhook{URL: in.URL, Nonce: rand.Text(), SetTime: metav1.NewTime(c.now().UTC()).Rfc3339Copy()}
	return c.putWebhook(ctx, key, hook, hashOfKind("setWebhook", in.ClientMutationID))
}

// DeleteWebhook has nobody told of an image's builds, and gives the image. The same
// clientMutationID again does nothing more. An image without a webhook is fault.NotFound.
// Kubernetes: GET and PUT of the image, again where somebody wrote in between.
func (c *Client) DeleteWebhook(ctx context.Context, key model.Key, clientMutationID string) (*model.Image, error) {
	image, _, err := c.putWebhook(ctx, key, nil, hashOfKind("deleteWebhook", &clientMutationID))
	return image, err
}

// putWebhook writes an image's webhook, none where nil.
func (c *Client) putWebhook(ctx context.Context, key model.Key, hook *v1alpha1.ImageWebhook, hash string) (shown *model.Image, identity string, err error) {
	image, err := c.changeImage(ctx, key, "", func(image *v1alpha1.Image) (bool, error) {
		if noteUpdate(image, hash) {
			return false, nil
		}
		if hook == nil && image.Spec.Webhook == nil {
			return false, fault.New(fault.NotFound, "The image %s has no webhook.", image.Name)
		}
		image.Spec.Webhook = hook
		return true, nil
	})
	if err != nil {
		return nil, "", err
	}
	kept := image.Spec.Webhook
	switch {
	case kept != nil:
		identity = kept.Identity(string(image.UID))
	case hook != nil: // the same mutation again, after somebody's deletion
		return nil, "", fault.New(fault.Conflict, "The webhook was deleted meanwhile: set it again.")
	}
	shown, err = c.images.remember(image)
	return shown, identity, err
}

func deliveryOf(o *v1alpha1.WebhookDelivery) *model.WebhookDelivery {
	if o == nil {
		return nil
	}
	delivery := &model.WebhookDelivery{
		Attempts: int(o.Attempts), Message: optional(o.Message), DeliveredAt: timeOf(o.DeliveredTime), NextAttemptAt: timeOf(o.NextTime),
	}
	if o.LastStatus != 0 {
		delivery.LastStatus = new(int(o.LastStatus))
	}
	return delivery
}
