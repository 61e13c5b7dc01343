package billing

import (
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/graph/model"
)

// standing orders the statuses of subscriptions: of several the first one counts.
var standing = []stripe.SubscriptionStatus{
	stripe.SubscriptionStatusActive, stripe.SubscriptionStatusTrialing, stripe.SubscriptionStatusPastDue,
	stripe.SubscriptionStatusUnpaid, stripe.SubscriptionStatusPaused, stripe.SubscriptionStatusIncomplete,
}

// entitles tells whether a status gives the plan; with any other the default plan holds.
func entitles(status stripe.SubscriptionStatus) bool {
	return slices.Contains(standing[:3], status)
}

// subscriptionOf is the subscription that counts: to one of the plans where there is
// one, else of best standing, else the newest. nil without any.
func (c *Client) subscriptionOf(customer *stripe.Customer) *stripe.Subscription {
	if customer.Subscriptions == nil {
		return nil
	}
	known := func(*stripe.Subscription) bool { return false }
	if plans, ok := c.catalog.Peek(catalogKey); ok {
		known = func(s *stripe.Subscription) bool { return plans.byID[productOf(s)] != nil }
	}
	var best *stripe.Subscription
	for _, next := range customer.Subscriptions.Data {
		rank := slices.Index(standing, next.Status)
		if rank < 0 {
			continue
		}
		if best == nil || known(next) && !known(best) ||
			known(next) == known(best) && rank < slices.Index(standing, best.Status) {
			best = next
		}
	}
	return best
}

// productOf is the product that a subscription's prices belong to.
func productOf(subscription *stripe.Subscription) string {
	if subscription.Items == nil {
		return ""
	}
	for _, item := range subscription.Items.Data {
		if item.Price != nil && item.Price.Product != nil {
			return item.Price.Product.ID
		}
	}
	return ""
}

func billingSubscription(subscription *stripe.Subscription) *model.BillingSubscription {
	return &model.BillingSubscription{
		Status:             model.SubscriptionStatus(strings.ToUpper(string(subscription.Status))),
		CurrentPeriodStart: unix(subscription.CurrentPeriodStart),
		CurrentPeriodEnd:   unix(subscription.CurrentPeriodEnd),
		CancelAtPeriodEnd:  subscription.CancelAtPeriodEnd,
	}
}
