package controller

import (
	"context"

	"drydock.dev/drydock/graph/model"
)

// Billing is what the controller needs of the keeper of accounts' usage.
type Billing interface {
	// Usage is what an account used in a billing period.
	Usage(ctx context.Context, login string, period model.UsagePeriod) (*model.Usage, error)
	// ReportUsage tells of an ended build's seconds; told twice, they count once.
	ReportUsage(ctx context.Context, report model.UsageReport) error
}
