package billing

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v76"
)

// metaReplaces of a subscription says that it was bought by Checkout, and which one it
// takes the place of.
const (
	metaReplaces = "drydock.replaces"
	replacesNone = "none"
)

// settleWithin bounds one go at the customers still to be settled: events are heard after it.
const settleWithin = 15 * time.Second

// settleCaught settles the customers that caught events named, with the lock held. At the
// first that fails it leaves off until it is called again, and begins with the others then.
func (c *Client) settleCaught(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	for len(c.caught.unsettled) > 0 {
		customerID, others := c.caught.unsettled[0], c.caught.unsettled[1:]
		if err := c.settleReplaced(ctx, customerID); err != nil {
			c.options.Log.Warn("a replaced subscription was not ended yet", "customer", customerID, "error", err)
			c.caught.unsettled = append(slices.Clone(others), customerID)
			return
		}
		c.caught.unsettled = others
	}
}

// buyer is the customer whose subscription, bought by Checkout, begins with an event;
// empty where the event is another.
func buyer(event *stripe.Event) string {
	if event.Data == nil {
		return ""
	}
	var of struct {
		Object   string                    `json:"object"`
		Status   stripe.SubscriptionStatus `json:"status"`
		Customer json.RawMessage           `json:"customer"`
		Metadata map[string]string         `json:"metadata"`
	}
	if err := json.Unmarshal(event.Data.Raw, &of); err != nil || of.Object != "subscription" || of.Metadata[metaReplaces] == "" || !runs(of.Status) {
		return ""
	}
	if _, begins := event.Data.PreviousAttributes["status"]; !begins && event.Type != stripe.EventTypeCustomerSubscriptionCreated {
		return ""
	}
	return reference(of.Customer)
}

// settleReplaced ends those of a customer's subscriptions that a newer one, bought by
// Checkout, took the place of, with a final invoice that credits what was paid for and
// not used. It goes by the subscriptions as they are, so that it does not matter who
// calls it, when, and how often. What Stripe refuses for good is no failure but a problem
// for an operator.
//
// Stripe: GET /v1/subscriptions?customer=; for each that ends DELETE
// /v1/subscriptions/{id}.
func (c *Client) settleReplaced(ctx context.Context, customerID string) error {
	held, err := c.subscriptions(ctx, customerID, "")
	if err != nil && !missing(err) {
		return err
	}
	var failed []error
	for _, subscription := range replaced(held) {
		// Nothing is credited of what was not paid.
		params := &stripe.SubscriptionCancelParams{InvoiceNow: stripe.Bool(true), Prorate: stripe.Bool(runs(subscription.Status))}
		params.Context = ctx
		_, err := c.stripe.subscriptions.Cancel(subscription.ID, params)
		switch {
		case err == nil || missing(err):
		case refusedForGood(err):
			c.problem("customer " + customerID + ": subscription " + subscription.ID +
				" was replaced by a newer one, and Stripe refuses to end it: end it in the dashboard")
			continue
		default:
			failed = append(failed, c.translate(err))
			continue
		}
		c.options.Log.Info("a subscription was replaced by a newer one", "customer", customerID, "ended", subscription.ID)
		notices := []string{notice(noticeCustomer, customerID)}
		c.Hear(notices)
		c.announce(ctx, notices)
	}
	return errors.Join(failed...)
}

// settleSeen is settleReplaced where a read shows that no event has brought it about.
func (c *Client) settleSeen(ctx context.Context, customer *stripe.Customer) {
	if customer.Subscriptions == nil || len(replaced(customer.Subscriptions.Data)) == 0 {
		return
	}
	if err := c.settleReplaced(ctx, customer.ID); err != nil {
		c.options.Log.Warn("a replaced subscription was not ended", "customer", customer.ID, "error", err)
	}
}

// replaced are those subscriptions that another one replaces: of those bought by
// Checkout the newest that runs stays, the others go, and so do those that any of them
// was bought to replace.
func replaced(held []*stripe.Subscription) []*stripe.Subscription {
	var newest *stripe.Subscription
	named := map[string]bool{}
	for _, subscription := range held {
		if subscription.Metadata[metaReplaces] == "" || !runs(subscription.Status) {
			continue
		}
		named[subscription.Metadata[metaReplaces]] = true
		if newest == nil || older(newest, subscription) {
			newest = subscription
		}
	}
	return slices.DeleteFunc(byRank(held), func(s *stripe.Subscription) bool {
		return newest == nil || s == newest || !named[s.ID] && (s.Metadata[metaReplaces] == "" || older(newest, s))
	})
}

// runs tells whether a subscription is paid for, or in its trial.
func runs(status stripe.SubscriptionStatus) bool {
	return status == stripe.SubscriptionStatusActive || status == stripe.SubscriptionStatusTrialing
}

// older orders subscriptions the same way for everybody, also those of one second: what
// was bought to replace another one is younger than that.
func older(a, b *stripe.Subscription) bool {
	switch {
	case b.Metadata[metaReplaces] == a.ID:
		return true
	case a.Metadata[metaReplaces] == b.ID:
		return false
	}
	return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID)) < 0
}
