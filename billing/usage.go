package billing

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/graph/model"
)

const day = 24 * time.Hour

// usageRecord is the metered part of a usage; what plans add is added on reading.
type usageRecord struct {
	period  period
	seconds int
	daily   []*model.DailyUsage
	readAt  time.Time
	// settled tells that Stripe's sums had time to take in the builds billed before.
	settled bool
	// drop ends what is held once, when it serves no more.
	drop sync.Once
}

// unsettledTTL is how long sums hold that Stripe may still be adding to.
const unsettledTTL = 30 * time.Second

// serves tells whether what was read still tells of the period, at least up to today.
func (u *usageRecord) serves(span period, now time.Time) bool {
	if !u.period.start.Equal(span.start) || !u.settled && now.Sub(u.readAt) >= unsettledTTL {
		return false
	}
	day := func(at time.Time) time.Time { return at.UTC().Truncate(day) }
	return day(u.readAt).Equal(day(now)) || !u.readAt.Before(span.end)
}

// Usage returns the metered build time of an account in a billing period, with one
// entry for each UTC day of it up to today. Stripe counts by whole minutes: a period
// that begins within a minute counts from that minute's start. What is held serves
// until a build is billed (ForgetUsage), the day or the period ends.
//
// Stripe: GET /v1/billing/meters/{id}/event_summaries, once where the period begins on
// a UTC day, else twice; a third time for a past period that also ends within a day.
// Before that what Account makes.
func (c *Client) Usage(ctx context.Context, login string, which model.UsagePeriod) (*model.Usage, error) {
	held, err := c.standing(ctx, login)
	if err != nil {
		return nil, err
	}
	plan, err := c.PlanOf(ctx, held.account)
	if err != nil {
		return nil, err
	}
	metered, err := c.metered(ctx, held, which)
	if err != nil {
		return nil, c.translate(err)
	}
	return &model.Usage{
		Login: held.account.Login, PeriodStart: metered.period.start, PeriodEnd: metered.period.end,
		BuildSeconds: metered.seconds, IncludedBuildMinutes: plan.Limits.IncludedBuildMinutes, Daily: metered.daily,
	}, nil
}

func (c *Client) metered(ctx context.Context, held standing, which model.UsagePeriod) (*usageRecord, error) {
	now := c.options.Now()
	key, span := usageKey(held.account.CustomerID, which), periodOf(held.cycle, which, now)
	read := func(ctx context.Context) (*usageRecord, error) { return c.readUsage(ctx, held.account, span) }
	metered, err := c.usage.Get(ctx, key, read)
	if err != nil || metered.serves(span, now) {
		return metered, err
	}
	metered.drop.Do(func() { c.usage.Invalidate(key) })
	return c.usage.Get(ctx, key, read)
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
	for _, which := range model.AllUsagePeriod {
		c.usage.Invalidate(usageKey(id, which))
	}
	c.watchers.wake(lower)
}

func usageKey(customerID string, which model.UsagePeriod) string {
	return customerID + "\x00" + string(which)
}

// readUsage reads the sums by day, and where the period does not begin or end with a
// day, the exact sums of its parts.
func (c *Client) readUsage(ctx context.Context, account *model.Account, span period) (*usageRecord, error) {
	meterID, err := c.meterID(ctx)
	if err != nil {
		return nil, err
	}
	now := c.options.Now().UTC()
	// Events may be a few minutes ahead of us.
	until := span.end.Truncate(time.Minute)
	if ahead := now.Add(10 * time.Minute).Truncate(time.Minute); ahead.Before(until) {
		until = ahead
	}
	from := span.start.Truncate(time.Minute)
	first, last := from.Truncate(day), until.Add(-time.Second).Truncate(day)
	if today := now.Truncate(day); today.Before(last) {
		last = today
	}
	if last.Before(first) {
		last = first
	}
	read := func(from, to time.Time, window string) (map[int64]int, error) {
		return c.summaries(ctx, meterID, account.CustomerID, period{from, to}, window)
	}
	days, err := read(first, last.Add(day), "day")
	if err != nil {
		return nil, err
	}
	total := sum(days)
	midEnd := until.Before(last.Add(day)) && !now.Before(span.end)
	if from.After(first) || midEnd {
		exact, err := read(from, until, "")
		if err != nil {
			return nil, err
		}
		total = sum(exact)
	}
	if from.After(first) {
		if midEnd && last.After(first) {
			begun, err := read(from, first.Add(day), "")
			if err != nil {
				return nil, err
			}
			days[first.Unix()] = sum(begun)
		} else {
			days[first.Unix()] += total - sum(days)
		}
	}
	if midEnd {
		days[last.Unix()] += total - sum(days)
	}
	return &usageRecord{
		period: span, seconds: total, daily: daily(account.Login, days, first, last),
		readAt: now, settled: c.billed.settled(account.CustomerID, now),
	}, nil
}

// summaries reads the meter's sums by the start of their window, in seconds.
func (c *Client) summaries(ctx context.Context, meterID, customerID string, span period, window string) (map[int64]int, error) {
	params := &stripe.BillingMeterEventSummaryListParams{
		ID: &meterID, Customer: &customerID,
		StartTime: stripe.Int64(span.start.Unix()), EndTime: stripe.Int64(span.end.Unix()),
	}
	params.Context, params.Limit = ctx, stripe.Int64(100)
	if window != "" {
		params.ValueGroupingWindow = &window
	}
	sums := map[int64]int{}
	list := c.stripe.summaries.List(params)
	for list.Next() {
		summary := list.BillingMeterEventSummary()
		sums[summary.StartTime] += int(math.Round(summary.AggregatedValue))
	}
	return sums, c.translate(list.Err())
}

func sum(values map[int64]int) int {
	total := 0
	for _, value := range values {
		total += value
	}
	return total
}

// daily has an entry for each day from first to last.
func daily(login string, days map[int64]int, first, last time.Time) []*model.DailyUsage {
	series := []*model.DailyUsage{}
	for at := first; !at.After(last); at = at.Add(day) {
		series = append(series, &model.DailyUsage{
			Login: login, Date: at.Format(time.DateOnly), BuildSeconds: max(0, days[at.Unix()]),
		})
	}
	return series
}
