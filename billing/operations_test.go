package billing_test

import (
	"context"
	"testing"
	"time"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/graph/model"
)

// operation is something that is asked of billing.
type operation struct {
	name string
	// request is the one that meets the trouble.
	request string
	// before brings about what the operation needs, while all is well.
	before func(*testing.T, *world, *billing.Client)
	run    func(context.Context, *billing.Client) error
	// done counts how often the operation's effect is there; nil: it has none.
	done func(*testing.T, *world) int
}

// known has the client know of ada all that can be known.
func known(t *testing.T, _ *world, c *billing.Client) {
	t.Helper()
	if _, err := c.Usage(within(t), "ada", model.UsagePeriodCurrent); err != nil {
		t.Fatal(err)
	}
}

// dropped has it know that, and be told that all of it changed.
func dropped(t *testing.T, w *world, c *billing.Client) {
	t.Helper()
	known(t, w, c)
	c.HearAll()
}

var operations = []operation{
	{name: "Account, cold", request: "GET /v1/customers/{id}", run: readAccount("ada")},
	{name: "Account, held", request: "GET /v1/customers/{id}", before: known, run: readAccount("ada")},
	{name: "Account, dropped", request: "GET /v1/customers/{id}", before: dropped, run: readAccount("ada")},
	{name: "Account of nobody", request: "GET /v1/customers/search", run: readAccount("nobody")},
	{name: "Accounts", request: "GET /v1/customers", run: func(ctx context.Context, c *billing.Client) error {
		_, err := c.Accounts(ctx, model.Page{First: 10})
		return err
	}},
	{name: "Plans, dropped", request: "GET /v1/products", before: dropped, run: func(ctx context.Context, c *billing.Client) error {
		_, err := c.Plans(ctx)
		return err
	}},
	{
		name: "Plan, off offer", request: "GET /v1/products/{id}",
		before: func(t *testing.T, w *world, c *billing.Client) {
			w.call(t, "POST", "/v1/products/prod_drydock_scale", form("active", "false"))
			c.HearAll()
			if _, err := c.Plans(within(t)); err != nil {
				t.Fatal(err)
			}
		},
		run: func(ctx context.Context, c *billing.Client) error {
			_, err := c.Plan(ctx, "prod_drydock_scale")
			return err
		},
	},
	{name: "PlanNow", request: "GET /v1/products/{id}", run: func(ctx context.Context, c *billing.Client) error {
		_, err := c.PlanNow(ctx, &model.Account{})
		return err
	}},
	{name: "Usage, cold", request: "GET /v1/billing/meters/{id}/event_summaries", run: readUsage},
	{name: "Usage, held", request: "GET /v1/billing/meters/{id}/event_summaries", before: known, run: readUsage},
	{name: "Usage, dropped", request: "GET /v1/billing/meters/{id}/event_summaries", before: dropped, run: readUsage},
	{
		name: "SignUp", request: "POST /v1/customers",
		run: func(ctx context.Context, c *billing.Client) error {
			_, err := c.SignUp(ctx, model.Identity{Login: "new"})
			return err
		},
		done: func(_ *testing.T, w *world) int { return len(w.stripe.Customers("new")) },
	},
	{
		name: "ReportUsage", request: "POST /v1/billing/meter_events",
		run: func(ctx context.Context, c *billing.Client) error {
			return c.ReportUsage(ctx, model.UsageReport{Login: "ada", BuildUID: "uid", Seconds: 90, FinishedAt: noon})
		},
		done: func(_ *testing.T, w *world) int {
			return int(w.stripe.MeterSum(w.stripe.Customers("ada")[0], noon, noon.Add(time.Minute))) / 90
		},
	},
	{
		name: "RaiseTokenEpoch", request: "POST /v1/customers/{id}",
		run: func(ctx context.Context, c *billing.Client) error {
			_, err := c.RaiseTokenEpoch(ctx, "ada", "the mutation's id")
			return err
		},
		done: func(t *testing.T, w *world) int { return events(t, w, "customer.updated") },
	},
	{name: "Checkout", request: "POST /v1/checkout/sessions", run: func(ctx context.Context, c *billing.Client) error {
		_, err := c.Checkout(ctx, "ada", "prod_drydock_team", "https://drydock.example/", "the mutation's id")
		return err
	}},
	{name: "Portal", request: "POST /v1/billing_portal/sessions", run: func(ctx context.Context, c *billing.Client) error {
		_, err := c.Portal(ctx, "ada", "https://drydock.example/", "the mutation's id")
		return err
	}},
	{name: "Hold, cold", request: "GET /v1/customers/{id}", run: hold},
	{name: "Hold, dropped", request: "GET /v1/customers/{id}", before: dropped, run: hold},
	{name: "Metered", request: "GET /v1/billing/meters/{id}/event_summaries", run: func(ctx context.Context, c *billing.Client) error {
		_, err := c.Metered(ctx, model.Owner{Login: "ada"}, noon.Add(-time.Hour), noon)
		return err
	}},
	{name: "CatchUp", request: "GET /v1/events", run: func(ctx context.Context, c *billing.Client) error { return c.CatchUp(ctx) }},
}

func readAccount(login string) func(context.Context, *billing.Client) error {
	return func(ctx context.Context, c *billing.Client) error {
		_, err := c.Account(ctx, login)
		return err
	}
}

func hold(ctx context.Context, c *billing.Client) error {
	_, err := c.Hold(ctx, "ada")
	return err
}

func readUsage(ctx context.Context, c *billing.Client) error {
	_, err := c.Usage(ctx, "ada", model.UsagePeriodCurrent)
	return err
}

// events counts Stripe's events of a type.
func events(t *testing.T, w *world, kind string) int {
	t.Helper()
	return len(w.call(t, "GET", "/v1/events?limit=100&type="+kind, nil)["data"].([]any))
}
