package billing_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/graph/model"
)

// TestRequests counts what each operation asks Stripe, cold and then warm. Cold is a
// client that was started after ada signed up and did nothing since.
func TestRequests(t *testing.T) {
	const (
		customer  = "GET /v1/customers/{id}"
		customers = "GET /v1/customers"
		search    = "GET /v1/customers/search"
		create    = "POST /v1/customers"
		update    = "POST /v1/customers/{id}"
		summaries = "GET /v1/billing/meters/{id}/event_summaries"
		metered   = "POST /v1/billing/meter_events"
		product   = "GET /v1/products/{id}"
		prices    = "GET /v1/prices"
		events    = "GET /v1/events"
		held      = "GET /v1/subscriptions"
		checkout  = "POST /v1/checkout/sessions"
		portal    = "POST /v1/billing_portal/sessions"
	)
	type counts = map[string]int
	ignored := func(error) {}
	cases := []struct {
		reason     string
		run        func(context.Context, *billing.Client) error
		cold, warm counts
	}{
		{
			reason: "an account is one request, whatever of it is asked",
			run: func(ctx context.Context, c *billing.Client) error {
				account, err := c.Account(ctx, "ada")
				if err == nil {
					_, err = c.PlanOf(ctx, account)
				}
				return err
			},
			cold: counts{customer: 1}, warm: counts{},
		},
		{
			reason: "plans were read at the start",
			run:    func(ctx context.Context, c *billing.Client) error { _, err := c.Plans(ctx); return err },
			cold:   counts{}, warm: counts{},
		},
		{
			reason: "the dashboard: viewer, plan and usage of a calendar month",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.Usage(ctx, "ada", model.UsagePeriodCurrent)
				return err
			},
			cold: counts{customer: 1, summaries: 1}, warm: counts{},
		},
		{
			reason: "a subscription's period that began within a day takes two sums",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.Usage(ctx, "grace", model.UsagePeriodCurrent)
				return err
			},
			cold: counts{customer: 1, summaries: 2}, warm: counts{},
		},
		{
			reason: "a page of accounts is one request, and each of its accounts is known after it",
			run: func(ctx context.Context, c *billing.Client) error {
				if _, err := c.Accounts(ctx, model.Page{First: 20}); err != nil {
					return err
				}
				for _, login := range []string{"ada", "grace"} {
					if _, err := c.Account(ctx, login); err != nil {
						return err
					}
				}
				return nil
			},
			cold: counts{customers: 1}, warm: counts{customers: 1},
		},
		{
			reason: "a known login signs in like it is read",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.SignUp(ctx, model.Identity{Login: "ADA"})
				return err
			},
			cold: counts{customer: 1}, warm: counts{},
		},
		{
			reason: "a new login is looked for, created and introduced; what others wrote since is read once",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.SignUp(ctx, model.Identity{Login: "new", Email: "new@example.com", GithubID: 3})
				return err
			},
			cold: counts{customers: 1, search: 1, create: 1, update: 1}, warm: counts{customer: 1},
		},
		{
			reason: "an unknown login is looked for once",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.Account(ctx, "nobody")
				ignored(err)
				return nil
			},
			cold: counts{customers: 1, search: 1}, warm: counts{},
		},
		{
			reason: "an impossible login is not asked for",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.Account(ctx, "no'body")
				ignored(err)
				return nil
			},
			cold: counts{}, warm: counts{},
		},
		{
			reason: "a report is one event",
			run: func(ctx context.Context, c *billing.Client) error {
				return c.ReportUsage(ctx, model.UsageReport{Login: "ada", BuildUID: "u", Seconds: 1, FinishedAt: noon})
			},
			cold: counts{metered: 1}, warm: counts{metered: 1},
		},
		{
			reason: "a minute's metered seconds are one request",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.Metered(ctx, model.Owner{Login: "ada"}, noon, noon.Add(time.Minute))
				return err
			},
			cold: counts{summaries: 1}, warm: counts{summaries: 1},
		},
		{
			reason: "the metered seconds of 48 hours are one request",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.MeteredHours(ctx, model.Owner{Login: "ada"}, noon.Add(-48*time.Hour), noon)
				return err
			},
			cold: counts{summaries: 1}, warm: counts{summaries: 1},
		},
		{
			reason: "nothing to meter is nothing to tell",
			run: func(ctx context.Context, c *billing.Client) error {
				return c.ReportUsage(ctx, model.UsageReport{Login: "ada", BuildUID: "u", FinishedAt: noon})
			},
			cold: counts{}, warm: counts{},
		},
		{
			reason: "a build's start sees limits of this moment",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.PlanNow(ctx, &model.Account{})
				return err
			},
			cold: counts{product: 1}, warm: counts{product: 1},
		},
		{
			reason: "a plan that is no longer on offer is read by itself",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.Plan(ctx, "prod_retired")
				return err
			},
			cold: counts{product: 1, prices: 1}, warm: counts{},
		},
		{
			reason: "an account of this moment is read anew",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.AccountNow(ctx, "ada")
				return err
			},
			cold: counts{customer: 1}, warm: counts{customer: 1},
		},
		{
			reason: "whether builds may begin is asked of the account that is held",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.Hold(ctx, "grace")
				return err
			},
			cold: counts{customer: 1}, warm: counts{},
		},
		{
			reason: "ending all tokens is read and written, and read again by who asks next",
			run: func(ctx context.Context, c *billing.Client) error {
				if _, err := c.RaiseTokenEpoch(ctx, "ada", ""); err != nil {
					return err
				}
				_, err := c.Account(ctx, "ada")
				return err
			},
			cold: counts{customer: 2, update: 1}, warm: counts{customer: 2, update: 1},
		},
		{
			reason: "a page to buy on looks at what was bought before",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.Checkout(ctx, "ada", "prod_drydock_team", "https://drydock.example/", "")
				return err
			},
			cold: counts{customer: 1, held: 1, checkout: 1}, warm: counts{held: 1, checkout: 1},
		},
		{
			reason: "the portal is one request more than the account",
			run: func(ctx context.Context, c *billing.Client) error {
				_, err := c.Portal(ctx, "grace", "https://drydock.example/", "")
				return err
			},
			cold: counts{customer: 1, portal: 1}, warm: counts{portal: 1},
		},
		{
			reason: "watching costs nothing for a known login",
			run:    func(ctx context.Context, c *billing.Client) error { _, err := c.WatchAccount(ctx, "ada"); return err },
			cold:   counts{}, warm: counts{},
		},
		{
			reason: "hearing costs nothing until it is read",
			run: func(_ context.Context, c *billing.Client) error {
				c.HearAll()
				return nil
			},
			cold: counts{}, warm: counts{},
		},
		{
			reason: "a webhook costs nothing until it is read",
			run: func(ctx context.Context, c *billing.Client) error {
				body := event("evt_x", "product.updated", `{"id":"prod_x","object":"product"}`)
				return c.Webhook(ctx, body, billingtest.Sign(body, time.Now(), whsec))
			},
			cold: counts{}, warm: counts{},
		},
		{
			reason: "catching up with nothing is one request",
			run:    func(ctx context.Context, c *billing.Client) error { return c.CatchUp(ctx) },
			cold:   counts{events: 1}, warm: counts{events: 1},
		},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			operator := w.client(t)
			signUp(t, operator, "ada")
			w.subscribe(t, signUp(t, operator, "grace"), "prod_drydock_team")
			w.call(t, "POST", "/v1/products", form("id", "prod_retired", "name", "Retired", "active", "false", "metadata[drydock.plan]", "true"))
			client := w.started(t, func(o *billing.Options) { o.WebhookSecrets = []string{whsec} })
			for i, want := range []counts{c.cold, c.warm} {
				w.stripe.ResetRequests()
				if err := c.run(within(t), client); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, w.stripe.Requests()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", []string{"cold", "warm"}[i], diff)
				}
			}
		})
	}
}

// unhurried lifts the client's own rate limits, for tests that look at something else with
// many requests.
func unhurried(o *billing.Options) {
	o.Limits = billing.Limits{Total: 1e6, Endpoint: 1e6, Search: 1e6}
}

// TestDirectory fills a directory from many customers, most of them accounts.
func TestDirectory(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	const accounts = 350
	for n := range accounts {
		w.add(t, fmt.Sprintf("user-%d", n))
		if n%10 == 0 {
			w.call(t, "POST", "/v1/customers", form("name", "somebody else's"))
		}
	}
	w.stripe.ResetRequests()
	c := w.started(t, unhurried)
	requests := w.stripe.Requests()
	if pages := requests["GET /v1/customers"]; pages < 4 || pages > 4+10 {
		t.Errorf("%d pages for 4 full ones, read by 10 workers", pages)
	}
	delete(requests, "GET /v1/customers")
	if diff := cmp.Diff(map[string]int{
		"GET /v1/events": 1, "GET /v1/products": 1, "GET /v1/prices": 1, "GET /v1/billing/meters": 1,
	}, requests); diff != "" {
		t.Errorf("the start's other requests (-want +got):\n%s", diff)
	}
	if got := c.Details()["accounts"]; got != accounts {
		t.Errorf("%v accounts, want %d", got, accounts)
	}
	w.stripe.ResetRequests()
	for n := range accounts {
		if _, err := c.Account(within(t), fmt.Sprintf("user-%d", n)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]int{"GET /v1/customers/{id}": accounts}, w.stripe.Requests()); diff != "" {
		t.Errorf("one request for each account (-want +got):\n%s", diff)
	}
}
