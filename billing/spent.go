package billing

import (
	"context"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// OwnerOf is who pays for the builds of a login now. Unknown logins are fault.NotFound.
//
// Stripe: as resolve.
func (c *Client) OwnerOf(ctx context.Context, login string) (model.Owner, error) {
	lower, err := canonical(login)
	if err != nil {
		return model.Owner{}, noAccount()
	}
	id, err := c.resolve(ctx, lower)
	return model.Owner{Login: lower, CustomerID: id}, c.translate(err)
}

// Metered returns the seconds that the meter holds of an account in [from, to), both
// at the start of a minute. It is read from Stripe each time, and may lag behind what
// Stripe took a moment ago.
//
// Stripe: GET /v1/billing/meters/{id}/event_summaries
func (c *Client) Metered(ctx context.Context, payer model.Owner, from, to time.Time) (int64, error) {
	sums, err := c.spent(ctx, payer, period{from.UTC(), to.UTC()}, "")
	return int64(sum(sums)), err
}

// MeteredHours returns the same by the hour's start, for the hours that hold any; from
// and to are at the start of an hour.
//
// Stripe: GET /v1/billing/meters/{id}/event_summaries for each hundred hours
func (c *Client) MeteredHours(ctx context.Context, payer model.Owner, from, to time.Time) (map[time.Time]int64, error) {
	sums, err := c.spent(ctx, payer, period{from.UTC(), to.UTC()}, "hour")
	hours := make(map[time.Time]int64, len(sums))
	for start, seconds := range sums {
		if seconds != 0 {
			hours[time.Unix(start, 0).UTC()] = int64(seconds)
		}
	}
	return hours, err
}

func (c *Client) spent(ctx context.Context, payer model.Owner, span period, window string) (sums map[int64]int, err error) {
	meterID, err := c.meterID(ctx)
	if err != nil {
		// No meter is for an operator to set right: the account is not to blame.
		return nil, fault.Wrap(fault.Unavailable, err)
	}
	err = c.asCustomer(ctx, payer, func(customerID string) error {
		sums, err = c.summaries(ctx, meterID, customerID, span, window)
		return err
	})
	return sums, err
}
