package billing

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// oldestEvent is what Stripe still takes, with a margin: the past 35 days.
const oldestEvent = 35*day - time.Hour

// ReportUsage tells Stripe the metered seconds of a finished build. The event's
// identifier is the build's UID, and a refusal of its second use is success: told
// again within 24 hours, a build counts once. Whoever reports later than that asks
// Metered first whether Stripe has the seconds already. The event's time is always the
// build's end, so that the minute in which it counts is known.
//
// No seconds make no request. A build that finished over 35 days ago cannot be metered
// any more: fault.BadUserInput. One whose end lies ahead of Stripe's clock is refused
// until that has come: fault.Unavailable.
//
// Stripe: POST /v1/billing/meter_events
func (c *Client) ReportUsage(ctx context.Context, report model.UsageReport) error {
	if report.Seconds == 0 {
		return nil
	}
	if report.Seconds < 0 || report.BuildUID == "" || report.FinishedAt.IsZero() {
		return fault.New(fault.BadUserInput, "A usage report names its build, its end and its seconds.")
	}
	if c.options.Now().Sub(report.FinishedAt) > oldestEvent {
		return fault.New(fault.BadUserInput, "The build finished over 35 days ago: its usage is not metered any more.")
	}
	defer c.ForgetUsage(report.Login)
	return c.asCustomer(ctx, model.Owner{Login: report.Login, CustomerID: report.CustomerID}, func(customerID string) error {
		params := &stripe.BillingMeterEventParams{
			EventName: stripe.String(eventName), Identifier: &report.BuildUID, Timestamp: stripe.Int64(report.FinishedAt.Unix()),
			Payload: map[string]string{"stripe_customer_id": customerID, "value": strconv.FormatInt(report.Seconds, 10)},
		}
		params.Context = ctx
		_, err := c.stripe.events.New(params)
		switch {
		case duplicate(err):
			return nil
		case ahead(err), meterless(err):
			return fault.Wrap(fault.Unavailable, err)
		}
		return err
	})
}

// asCustomer does something with the customer who pays, or with that of the login. Where
// Stripe does not have the latter any more, it is done once again with the one that the
// login has by now.
func (c *Client) asCustomer(ctx context.Context, payer model.Owner, do func(customerID string) error) error {
	login, err := canonical(payer.Login)
	if err != nil {
		return noAccount()
	}
	if payer.CustomerID != "" {
		if err = do(payer.CustomerID); missing(err) {
			c.directory.forget(login, payer.CustomerID)
		}
		return c.translate(err)
	}
	customerID, err := c.resolve(ctx, login)
	if err != nil {
		return c.translate(err)
	}
	if err = do(customerID); !missing(err) {
		return c.translate(err)
	}
	c.directory.forget(login, customerID)
	again, found := c.resolve(ctx, login)
	if found != nil || again == customerID {
		return c.translate(err)
	}
	return c.translate(do(again))
}

// duplicate tells whether Stripe refuses an event because it has it. The refusal has
// no code of its own in this API version, only its words.
func duplicate(err error) bool {
	return refusedEvent(err, "duplicate_meter_event", "An event already exists with identifier")
}

// ahead tells whether Stripe refuses an event because its time is yet to come: the
// clock that told the build's end is ahead of Stripe's.
func ahead(err error) bool {
	return refusedEvent(err, "timestamp_in_future", "The timestamp provided is too far in the future")
}

// meterless tells whether Stripe refuses an event because no active meter takes it,
// which an operator sets right: the account is not to blame.
func meterless(err error) bool {
	var refused *stripe.Error
	return errors.As(err, &refused) && refused.Param == "event_name"
}

func refusedEvent(err error, code stripe.ErrorCode, words string) bool {
	var refused *stripe.Error
	return errors.As(err, &refused) && refused.Type == stripe.ErrorTypeInvalidRequest &&
		(refused.Code == code || strings.HasPrefix(refused.Msg, words))
}
