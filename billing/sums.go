package billing

import (
	"context"
	"math"
	"time"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/graph/model"
)

const day = 24 * time.Hour

// unsettledTTL is how long sums hold that Stripe may still be adding to.
const unsettledTTL = 30 * time.Second

// sums are which of the meter's sums tell of a period. Stripe sums up by whole UTC days, so
// that a period that begins or ends within one needs the exact sums of its parts, too.
type sums struct {
	// days are read one by one, from the start of the first to the end of the last.
	days period
	// whole is all of the period, where one of its days is cut; else it is empty.
	whole period
	// begun is what the period has of its first day, where its last one is cut as well.
	begun period
	// cut is the day that gets what the others leave of the whole.
	cut time.Time
}

// sumsOf tells what to read of a period now: of one that is under way, up to today.
func sumsOf(span period, now time.Time) sums {
	now = now.UTC()
	from, until := span.start.Truncate(time.Minute), span.end.Truncate(time.Minute)
	// Events may be a few minutes ahead of us.
	until = earlier(until, now.Add(10*time.Minute).Truncate(time.Minute))
	first := from.Truncate(day)
	last := earlier(until.Add(-time.Second).Truncate(day), now.Truncate(day))
	if last.Before(first) {
		last = first
	}
	read := sums{days: period{first, last.Add(day)}}
	begins := from.After(first)
	ends := until.Before(last.Add(day)) && !now.Before(span.end)
	if !begins && !ends {
		return read
	}
	read.whole, read.cut = period{from, until}, first
	if ends {
		read.cut = last
	}
	if begins && ends && last.After(first) {
		read.begun = period{from, first.Add(day)}
	}
	return read
}

// freshUntil is when the sums of a period that were read now may have something to add: a
// day, the period's last minutes, or builds that Stripe has not taken in yet.
func freshUntil(span period, now time.Time, settled bool) time.Time {
	until := now.Add(usageTTL)
	if now.Before(span.end) {
		until = earlier(span.end, now.UTC().Truncate(day).Add(day))
	}
	if !settled {
		until = earlier(until, now.Add(unsettledTTL))
	}
	return until
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (c *Client) readUsage(ctx context.Context, account *model.Account, span period) (*usageRecord, error) {
	meterID, err := c.meterID(ctx)
	if err != nil {
		return nil, err
	}
	now := c.options.Now()
	wanted := sumsOf(span, now)
	days, err := c.summaries(ctx, meterID, account.CustomerID, wanted.days, "day")
	if err != nil {
		return nil, err
	}
	total := sum(days)
	if wanted.whole != (period{}) {
		whole, err := c.summaries(ctx, meterID, account.CustomerID, wanted.whole, "")
		if err != nil {
			return nil, err
		}
		total = sum(whole)
		if wanted.begun != (period{}) {
			begun, err := c.summaries(ctx, meterID, account.CustomerID, wanted.begun, "")
			if err != nil {
				return nil, err
			}
			days[wanted.days.start.Unix()] = sum(begun)
		}
		days[wanted.cut.Unix()] += total - sum(days)
	}
	return &usageRecord{
		seconds: total, daily: daily(account.Login, days, wanted.days),
		until: freshUntil(span, now, c.billed.settled(account.CustomerID, now)),
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
	found := map[int64]int{}
	list := c.stripe.summaries.List(params)
	for list.Next() {
		summary := list.BillingMeterEventSummary()
		found[summary.StartTime] += int(math.Round(summary.AggregatedValue))
	}
	return found, c.translate(list.Err())
}

func sum(values map[int64]int) int {
	total := 0
	for _, value := range values {
		total += value
	}
	return total
}

// daily has an entry for each day of the span.
func daily(login string, seconds map[int64]int, days period) []*model.DailyUsage {
	series := []*model.DailyUsage{}
	for at := days.start; at.Before(days.end); at = at.Add(day) {
		series = append(series, &model.DailyUsage{
			Login: login, Date: at.Format(time.DateOnly), BuildSeconds: max(0, seconds[at.Unix()]),
		})
	}
	return series
}
