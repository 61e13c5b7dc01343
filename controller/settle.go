package controller

import (
	"context"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/metering"
	"drydock.dev/drydock/transport"
)

// Settle decides by hand about the unsure builds that ended in an account's minute,
// where no set of builds explains what the meter holds: either it counted them all, or
// they are missing, and are reported. It gives how many there were.
//
// fault.BadUserInput: nothing waits for a decision there.
func (b *Books) Settle(ctx context.Context, login string, minute time.Time, counted bool) (int, error) {
	ctx = transport.WithPriority(ctx, transport.Background)
	from, to := minute.UTC(), minute.UTC().Add(time.Minute)
	live, accounts, err := b.read(ctx, from, to)
	if err != nil {
		return 0, err
	}
	builds := accounts[login]
	if len(metering.Unsure(builds)) == 0 {
		return 0, fault.New(fault.BadUserInput, "No build of %s that ended in the minute of %s waits for a decision.", login, from.Format(time.RFC3339))
	}
	if at := metering.Settled(builds); b.now().Before(at) {
		return 0, fault.New(fault.BadUserInput, "The meter may not show all of that minute yet: decide after %s.", at.Format(time.RFC3339))
	}
	payers, err := b.payers(ctx, login, builds)
	if err != nil {
		return 0, err
	}
	var unsure []metering.Build
	for payer, builds := range payers {
		metered, err := b.billing.Metered(ctx, payer, from, to)
		if err != nil {
			return 0, err
		}
		if _, err := metering.Decide(metered, builds); err != nil {
			unsure = append(unsure, metering.Unsure(builds)...)
		}
	}
	if len(unsure) == 0 {
		return 0, fault.New(fault.BadUserInput, "The meter says what it counted of that minute: the controller decides by itself.")
	}
	decision := metering.Decision{Missing: unsure}
	if counted {
		decision = metering.Decision{Counted: unsure}
	}
	return len(unsure), b.act(ctx, decision, live)
}
