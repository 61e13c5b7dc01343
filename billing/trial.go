package billing

import (
	"context"
	"strconv"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
)

// metaTrialDays of a product is how many days are free for an account that never had a
// subscription.
const metaTrialDays = "drydock.trial_days"

// maxTrialDays is Stripe's longest trial, two years.
const maxTrialDays = 730

// metaTrial of a Checkout session says that it gives a trial, by the idempotency key that it
// was opened with.
const metaTrial = "drydock.trial"

// trialDays is a product's trial; what is no number of days is a problem, and none.
func (c *Client) trialDays(product *stripe.Product) int {
	text := product.Metadata[metaTrialDays]
	if text == "" {
		return 0
	}
	days, err := strconv.Atoi(text)
	if err != nil || days < 0 || days > maxTrialDays {
		c.badLimit(product, metaTrialDays, text, "a number of days up to "+strconv.Itoa(maxTrialDays), "no trial")
		return 0
	}
	return days
}

// closeTrials closes the pages on which a customer could still begin a trial, but for the
// one of this key.
//
// Stripe: GET /v1/checkout/sessions?customer=&status=open, POST
// /v1/checkout/sessions/{id}/expire for each.
func (c *Client) closeTrials(ctx context.Context, customerID, except string) error {
	params := &stripe.CheckoutSessionListParams{Customer: &customerID, Status: stripe.String("open")}
	params.Context, params.Limit = ctx, stripe.Int64(100)
	list := c.stripe.sessions.List(params)
	for list.Next() {
		open := list.CheckoutSession()
		if key := open.Metadata[metaTrial]; key == "" || key == except {
			continue
		}
		params := &stripe.CheckoutSessionExpireParams{}
		params.Context = ctx
		switch _, err := c.stripe.sessions.Expire(open.ID, params); {
		case refusedForGood(err):
			return &fault.Error{Kind: fault.Conflict, Cause: err,
				Message: "A page that you opened before was paid or closed a moment ago: look at your plan, then try once more."}
		case err != nil:
			return c.translate(err)
		}
	}
	return c.translate(list.Err())
}
