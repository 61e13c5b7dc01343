package billing

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
)

// Portal opens Stripe's customer portal for the account of a login, and gives its
// address; it leads back to returnURL. There people cancel their plan, take the
// cancellation back, change the card and read invoices. The same key gives the same
// address within a minute, for an address is soon too old to open.
//
// Stripe: POST /v1/billing_portal/sessions; before that what Account makes.
func (c *Client) Portal(ctx context.Context, login, returnURL, key string) (string, error) {
	account, err := c.Account(ctx, login)
	if err != nil {
		return "", err
	}
	params := &stripe.BillingPortalSessionParams{Customer: &account.CustomerID, ReturnURL: &returnURL}
	params.Context = ctx
	minute := c.options.Now().UTC().Truncate(time.Minute).Format(time.RFC3339)
	params.SetIdempotencyKey(idempotencyKey("portal", keySum(key, account.CustomerID, returnURL, minute)))
	session, err := untilKept(c, &params.Params, func() (*stripe.BillingPortalSession, error) { return c.stripe.portals.New(params) })
	if err != nil {
		return "", c.closed(err)
	}
	c.problems.clear(noPortal)
	return session.URL, nil
}

// noPortal is how the problem begins that the portal was never set up.
const noPortal = "the customer portal does not open"

// closed translates why the portal does not open. Until somebody saved its settings in
// the dashboard, Stripe refuses with the parameter configuration in its words.
func (c *Client) closed(err error) error {
	var refused *stripe.Error
	if errors.As(err, &refused) && refused.Type == stripe.ErrorTypeInvalidRequest && strings.Contains(refused.Msg, "configuration") {
		c.problem(noPortal + ": save its settings in Stripe's dashboard")
		return &fault.Error{
			Kind: fault.Unavailable, Message: "The customer portal is not set up: an administrator saves its settings in Stripe's dashboard.", Cause: err,
		}
	}
	return c.translate(err)
}
