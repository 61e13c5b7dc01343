package billing

import (
	"context"
	"fmt"
	"time"

	"drydock.dev/drydock/graph/model"
)

// usageRecord is the metered part of a period's usage; what plans add is added on reading.
type usageRecord struct {
	seconds int
	daily   []*model.DailyUsage
	// until is how long this is all there is to tell.
	until time.Time
}

// FreshUntil is cache.Perishable's.
func (u *usageRecord) FreshUntil() time.Time { return u.until }

// Usage returns the metered build time of an account in a billing period, with one
// entry for each UTC day of it up to today. Stripe counts by whole minutes: a period
// that begins within a minute counts from that minute's start. What is held serves
// until a build is billed (ForgetUsage), the day or the period ends.
//
// Stripe: GET /v1/billing/meters/{id}/event_summaries, once where the period begins on
// a UTC day, else twice; a third time for a past period that also ends within a day.
// Before that what Account makes.
func (c *Client) Usage(ctx context.Context, login string, which model.UsagePeriod) (*model.Usage, error) {
	held, err := c.recordAnyCase(ctx, login)
	if err != nil {
		return nil, err
	}
	plan, err := c.PlanOf(ctx, held.account)
	if err != nil {
		return nil, err
	}
	// A period that was never read has nothing to stand in, least of all another period.
	span := periodOf(held.cycle, which, c.options.Now())
	metered, err := c.usage.Get(ctx, usageKey(held.account.CustomerID, span), func(ctx context.Context) (*usageRecord, error) {
		return c.readUsage(ctx, held.account, span)
	})
	if err != nil {
		return nil, c.translate(err)
	}
	return &model.Usage{
		Login: held.account.Login, PeriodStart: span.start, PeriodEnd: span.end,
		BuildSeconds: metered.seconds, IncludedBuildMinutes: plan.Limits.IncludedBuildMinutes, Daily: metered.daily,
	}, nil
}

// ForgetUsage drops what is held of an account's usage, and tells who watches the
// account: a build of it was billed.
func (c *Client) ForgetUsage(login string) {
	lower, err := canonical(login)
	if err != nil {
		return
	}
	id, ok := c.directory.lookup(lower)
	if !ok {
		return
	}
	c.billed.note(id, c.options.Now())
	c.usage.Invalidate(id)
	c.watchers.wake(lower)
}

// usageKey is alike up to the NUL byte for all periods of a customer, which are
// invalidated together.
func usageKey(customerID string, span period) string {
	return fmt.Sprintf("%s\x00%d-%d", customerID, span.start.Unix(), span.end.Unix())
}
