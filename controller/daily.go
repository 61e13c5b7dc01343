package controller

import (
	"context"
	"time"

	"drydock.dev/drydock/metering"
)

const (
	// reconcileSince is how far back the daily comparison looks: as far as one request
	// per account tells.
	reconcileSince = 96 * time.Hour
	// reconcileFirst is when the first comparison follows a start, at the latest.
	reconcileFirst = 10 * time.Minute
)

// daily compares meter and builds once a day, and removes the ledger's old days. The
// leader alone does.
type daily struct {
	*Books
	every   time.Duration
	metrics *metrics
}

// NeedLeaderElection serves the manager.
func (d *daily) NeedLeaderElection() bool { return true }

// Start runs until the context ends.
func (d *daily) Start(ctx context.Context) error {
	timer := time.NewTimer(min(d.every, reconcileFirst))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		d.run(ctx)
		timer.Reset(d.every)
	}
}

func (d *daily) run(ctx context.Context) {
	report, err := d.Reconcile(ctx, d.now().Add(-reconcileSince), false)
	if err != nil {
		d.log.Error("meter and builds could not be compared", "error", err)
		return
	}
	for login, err := range report.Unread {
		d.log.Error("an account's meter could not be read", "account", login, "error", err)
	}
	for _, drift := range report.Drifts {
		d.log.Warn("the meter drifts: see drydock reconcile", "account", drift.Login, "from", drift.Start, "to", drift.End,
			"missing", drift.Missing(), "surplus", drift.Surplus(), "undecided", drift.Undecided)
	}
	d.log.Info("meter and builds were compared", "accounts", report.Accounts, "builds", report.Builds, "seconds", report.Seconds,
		"missing", report.Missing(), "surplus", report.Surplus(), "unread", len(report.Unread))
	d.metrics.reconciled(report, d.now())
	if err := d.ledger.expire(ctx, d.now().Add(-metering.Kept), d.now()); err != nil {
		d.log.Error("the ledger's old days could not be removed", "error", err)
	}
}
