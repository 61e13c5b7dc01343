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

const (
	// oldestEvent is what Stripe still takes, with a margin: the past 35 days.
	oldestEvent = 35*day - time.Hour
	// uniqueFor is how long Stripe surely knows an identifier, with a margin: 24 hours.
	uniqueFor = 23 * time.Hour
)

// ReportUsage tells Stripe the metered seconds of a finished build, once: the event's
// identifier is the build's UID, and a refusal of its second use is success, so it may
// be called again whenever its answer was lost. No seconds make no request. A build
// that finished over 35 days ago cannot be metered any more: fault.BadUserInput.
//
// Stripe: POST /v1/billing/meter_events; for a build that finished 23 hours ago or
// earlier, GET /v1/billing/meters/{id}/event_summaries of its minute before that.
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
	login, err := canonical(report.Login)
	if err != nil {
		return noAccount()
	}
	defer c.ForgetUsage(login)
	customerID, err := c.resolve(ctx, login)
	if err != nil {
		return c.translate(err)
	}
	err = c.reportTo(ctx, customerID, report)
	if !missing(err) {
		return c.translate(err)
	}
	// The customer is gone; the login may have another one by now.
	c.directory.forget(login, customerID)
	again, found := c.resolve(ctx, login)
	if found != nil || again == customerID {
		return c.translate(err)
	}
	return c.translate(c.reportTo(ctx, again, report))
}

func (c *Client) reportTo(ctx context.Context, customerID string, report model.UsageReport) error {
	now := c.options.Now()
	if now.Sub(report.FinishedAt) > uniqueFor {
		counted, err := c.counted(ctx, customerID, report)
		if counted || err != nil {
			return err
		}
	}
	finished := report.FinishedAt
	if finished.After(now) {
		finished = now
	}
	params := &stripe.BillingMeterEventParams{
		EventName: stripe.String(eventName), Identifier: &report.BuildUID, Timestamp: stripe.Int64(finished.Unix()),
		Payload: map[string]string{"stripe_customer_id": customerID, "value": strconv.FormatInt(report.Seconds, 10)},
	}
	params.Context = ctx
	_, err := c.stripe.events.New(params)
	if duplicate(err) {
		return nil
	}
	return err
}

// counted tells whether the meter already holds the build's seconds in the minute of
// its end. Another build of the account that ended in that minute can hide it: better
// not billed than billed twice.
func (c *Client) counted(ctx context.Context, customerID string, report model.UsageReport) (bool, error) {
	meterID, err := c.meterID(ctx)
	if err != nil {
		return false, err
	}
	minute := report.FinishedAt.UTC().Truncate(time.Minute)
	sums, err := c.summaries(ctx, meterID, customerID, period{minute, minute.Add(time.Minute)}, "")
	return int64(sum(sums)) >= report.Seconds, err
}

// duplicate tells whether Stripe refuses an event because it has it. The refusal has
// no code of its own in this API version, only its words.
func duplicate(err error) bool {
	var refused *stripe.Error
	return errors.As(err, &refused) && refused.Type == stripe.ErrorTypeInvalidRequest &&
		(refused.Code == "duplicate_meter_event" || strings.HasPrefix(refused.Msg, "An event already exists with identifier"))
}
