package billing

import (
	"time"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/graph/model"
)

// cycle is how a subscription's periods follow each other.
type cycle struct {
	start, end time.Time
	// anchor gives the day of the month, also where a short month cut it off.
	anchor   time.Time
	interval string
	count    int
}

// period is a span [start, end).
type period struct{ start, end time.Time }

func cycleOf(subscription *stripe.Subscription) *cycle {
	held := &cycle{
		start: unix(subscription.CurrentPeriodStart), end: unix(subscription.CurrentPeriodEnd),
		anchor: unix(subscription.BillingCycleAnchor), interval: "month", count: 1,
	}
	if subscription.Items == nil {
		return held
	}
	for _, item := range subscription.Items.Data {
		if item.Price != nil && item.Price.Recurring != nil && item.Price.Recurring.IntervalCount > 0 {
			held.interval, held.count = string(item.Price.Recurring.Interval), int(item.Price.Recurring.IntervalCount)
			break
		}
	}
	return held
}

// periodOf is the current billing period or the one before: the subscription's, or
// the calendar month in UTC without one.
func periodOf(held *cycle, which model.UsagePeriod, now time.Time) period {
	if held == nil {
		month := time.Date(now.UTC().Year(), now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
		if which == model.UsagePeriodPrevious {
			return period{month.AddDate(0, -1, 0), month}
		}
		return period{month, month.AddDate(0, 1, 0)}
	}
	current := period{held.start, held.end}
	// A cached subscription may be a period behind.
	for !now.Before(current.end) {
		current = period{current.end, held.step(current.end, 1)}
	}
	if which == model.UsagePeriodPrevious {
		return period{held.step(current.start, -1), current.start}
	}
	return current
}

// step is one interval on, or back: the same day of the month as the anchor's, or the
// month's last where it has none.
func (c *cycle) step(from time.Time, n int) time.Time {
	n *= c.count
	switch c.interval {
	case "day":
		return from.AddDate(0, 0, n)
	case "week":
		return from.AddDate(0, 0, 7*n)
	case "year":
		n *= 12
	}
	first := time.Date(from.Year(), from.Month(), 1, from.Hour(), from.Minute(), from.Second(), 0, time.UTC).AddDate(0, n, 0)
	day := from.Day()
	if c.anchor.Day() > day {
		day = c.anchor.Day()
	}
	return first.AddDate(0, 0, min(day, first.AddDate(0, 1, -1).Day())-1)
}
