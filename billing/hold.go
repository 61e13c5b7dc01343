package billing

import (
	"context"
	"time"

	"drydock.dev/drydock/graph/model"
)

// defaultGrace is how long builds go on after a payment failed.
const defaultGrace = 7 * 24 * time.Hour

// Hold tells in words for the user why no build of the account may begin: empty where
// nothing is in the way. It is so when a payment failed and Options.Grace has passed
// since the period began that it was for. A subscription that is unpaid or paused gives
// no plan at all, so the default plan holds for it, and builds go on within that.
//
// Stripe: as Account.
func (c *Client) Hold(ctx context.Context, login string) (string, error) {
	account, err := c.Account(ctx, login)
	if err != nil {
		return "", err
	}
	subscription := account.Subscription
	if subscription == nil || subscription.Status != model.SubscriptionStatusPastDue {
		return "", nil
	}
	since := subscription.CurrentPeriodStart
	if c.options.Now().Before(since.Add(c.options.Grace)) {
		return "", nil
	}
	return "The payment that was due on " + since.UTC().Format("2 January 2006") +
		" failed, so no build begins: change the payment method in the customer portal, then start the build again.", nil
}
