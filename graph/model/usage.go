package model

import "time"

// Usage is the metered build time of an account in one billing period, from Stripe.
type Usage struct {
	// Login is the account's.
	Login       string
	PeriodStart time.Time
	PeriodEnd   time.Time
	// BuildSeconds is the sum over the period.
	BuildSeconds         int
	IncludedBuildMinutes int
	// Daily has one entry for each UTC day of the period up to today, oldest first.
	Daily []*DailyUsage
}

// BuildMinutes is the period's sum in minutes.
func (u *Usage) BuildMinutes() float64 { return float64(u.BuildSeconds) / 60 }

// DailyUsage is the metered build time of one UTC day.
type DailyUsage struct {
	// Login is the account's: the day's builds are counted by it.
	Login string
	// Date is YYYY-MM-DD.
	Date         string
	BuildSeconds int
}

// UsageReport tells the metered build time of one finished build.
type UsageReport struct {
	Login string
	// CustomerID is the account at Stripe; the login's of now where empty.
	CustomerID string
	// BuildUID names the build: it is counted once, however often it is reported.
	BuildUID   string
	Seconds    int64
	FinishedAt time.Time
}
