package billing

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"drydock.dev/drydock/fault"
)

// Webhook takes an event that Stripe delivers, proved by its Stripe-Signature header
// (https://docs.stripe.com/webhooks#verify-official-libraries): what is held of its
// object is dropped here, and announced to the other replicas. Events may come late,
// twice and in any order. A signature that is wrong or too old is fault.Forbidden, a body
// that is no event fault.BadUserInput; after fault.Unavailable Stripe is to send it again.
//
// Stripe: none; where a subscription begins what settleReplaced makes.
func (c *Client) Webhook(ctx context.Context, payload []byte, signature string) error {
	if err := c.verify(payload, signature); err != nil {
		return err
	}
	var event stripe.Event
	if err := json.Unmarshal(payload, &event); err != nil || event.ID == "" || event.Data == nil {
		return fault.New(fault.BadUserInput, "The body is not an event of Stripe.")
	}
	if c.seen.told(event.ID) {
		return nil
	}
	notices := noticesOfEvent(&event)
	if len(notices) == 0 {
		return nil
	}
	c.Hear(notices)
	whole := notice(noticeEvent, event.ID)
	if customerID := buyer(&event); customerID != "" {
		// Who hears of the event has nothing left to do: that is so once it is settled.
		if err := errors.Join(c.tell(ctx, notices), c.settleReplaced(ctx, customerID)); err != nil {
			return fault.Wrap(fault.Unavailable, err)
		}
		notices = nil
	}
	if err := c.tell(ctx, append(notices, whole)); err != nil {
		return fault.Wrap(fault.Unavailable, err)
	}
	if !c.seen.has(event.ID) {
		c.metrics.events.WithLabelValues("webhook").Inc()
	}
	c.seen.add(event.ID, true)
	return nil
}

// verify proves a body by one of our secrets: while they are rotated, Stripe signs with
// both, or still with the old one. How old the signature is goes by the machine's clock.
func (c *Client) verify(payload []byte, signature string) error {
	if len(c.options.WebhookSecrets) == 0 {
		return fault.New(fault.NotFound, "No webhook secret is set up here: give the gateway the signing secret of Stripe's webhook endpoint.")
	}
	var refused error
	for _, secret := range c.options.WebhookSecrets {
		err := webhook.ValidatePayload(payload, signature, secret)
		if err == nil {
			return nil
		}
		refused = errors.Join(refused, err)
	}
	words := "The signature does not fit the body: check the signing secret of the webhook endpoint."
	if errors.Is(refused, webhook.ErrTooOld) {
		words = "The signature is too old: send the event anew, and check the clocks."
	}
	return &fault.Error{Kind: fault.Forbidden, Message: words, Cause: refused}
}
