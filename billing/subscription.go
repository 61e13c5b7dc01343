package billing

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v76"

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

// counting are the subscriptions that may count, of best status first, then the newest.
func counting(customer *stripe.Customer) []*stripe.Subscription {
	if customer.Subscriptions == nil {
		return nil
	}
	return byRank(customer.Subscriptions.Data)
}

// byRank leaves out what has ended, and puts the best status first, then the newest.
func byRank(subscriptions []*stripe.Subscription) []*stripe.Subscription {
	rank := func(s *stripe.Subscription) int { return slices.Index(statuses, s.Status) }
	found := slices.DeleteFunc(slices.Clone(subscriptions), func(s *stripe.Subscription) bool { return rank(s) < 0 })
	slices.SortStableFunc(found, func(a, b *stripe.Subscription) int { return cmp.Compare(rank(a), rank(b)) })
	return found
}

// present is the standing that counts: to one of the plans where there is one, else the
// best. The plans may be others by now than when the record was read.
func (c *Client) present(held *record) standing {
	if len(held.standings) > 1 {
		if plans, ok := c.catalog.Peek(catalogKey); ok {
			for _, standing := range held.standings {
				if plans.byID[standing.productID] != nil {
					return standing
				}
			}
		}
	}
	return held.standings[0]
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
