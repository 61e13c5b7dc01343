package controller

import (
	"context"
	"time"

	"drydock.dev/drydock/graph/model"
)

// Billing is what the controller needs of the keeper of accounts' usage.
type Billing interface {
	// Usage is what an account used in a billing period.
	Usage(ctx context.Context, login string, period model.UsagePeriod) (*model.Usage, error)
	// Hold says in words for people why no build of an account may begin; empty where
	// nothing is in the way.
	Hold(ctx context.Context, login string) (string, error)
	// AccountPlan is the plan that holds for a login now; unknown logins are fault.NotFound.
	AccountPlan(ctx context.Context, login string) (*model.Plan, error)
	// OnChange has heard called, until ctx ends, with the login or the customer's id of each
	// account of which these may have changed; with neither where it may be any. It does not
	// block.
	OnChange(ctx context.Context, heard func(login, customerID string))
	// ReportUsage tells of an ended build's seconds; told twice within 24 hours, they
	// count once.
	ReportUsage(ctx context.Context, report model.UsageReport) error
	// OwnerOf is who pays for the builds of a login now; unknown logins are fault.NotFound.
	OwnerOf(ctx context.Context, login string) (model.Owner, error)
	// Metered are the seconds that are counted of a payer for builds that ended in
	// [from, to), both at the start of a minute. They may lag.
	Metered(ctx context.Context, payer model.Owner, from, to time.Time) (int64, error)
	// MeteredHours are the same by the hour's start.
	MeteredHours(ctx context.Context, payer model.Owner, from, to time.Time) (map[time.Time]int64, error)
}
