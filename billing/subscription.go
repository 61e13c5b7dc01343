package billing

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// statuses orders the statuses of subscriptions: of several the first one counts.
var statuses = []stripe.SubscriptionStatus{
	stripe.SubscriptionStatusActive, stripe.SubscriptionStatusTrialing, stripe.SubscriptionStatusPastDue,
	stripe.SubscriptionStatusUnpaid, stripe.SubscriptionStatusPaused, stripe.SubscriptionStatusIncomplete,
}

// entitles tells whether a status gives the plan; with any other the default plan holds.
func entitles(status stripe.SubscriptionStatus) bool {
	return slices.Contains(statuses[:3], status)
}

// counting is the subscription that counts, the best of those to our plans; nil where
// there is none.
func (c *Client) counting(ctx context.Context, customer *stripe.Customer) (*stripe.Subscription, error) {
	if customer.Subscriptions == nil {
		return nil, nil
	}
	for _, subscription := range byRank(customer.Subscriptions.Data) {
		if ours, err := c.isOurs(ctx, productOf(subscription)); err != nil || ours {
			return subscription, err
		}
	}
	return nil, nil
}

// isOurs tells whether a product is one of our plans, on offer or not any more. The same
// seller may have other things to subscribe to.
func (c *Client) isOurs(ctx context.Context, productID string) (bool, error) {
	if plans, ok := c.catalog.Peek(catalogKey); ok && plans.byID[productID] != nil {
		return true, nil
	}
	_, err := c.offer(ctx, productID)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

// byRank leaves out what has ended, and puts the best status first, then the newest.
func byRank(subscriptions []*stripe.Subscription) []*stripe.Subscription {
	rank := func(s *stripe.Subscription) int { return slices.Index(statuses, s.Status) }
	found := slices.DeleteFunc(slices.Clone(subscriptions), func(s *stripe.Subscription) bool { return rank(s) < 0 })
	slices.SortStableFunc(found, func(a, b *stripe.Subscription) int { return cmp.Compare(rank(a), rank(b)) })
	return found
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
