package billing_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

const (
	free  = "prod_drydock_free"
	team  = "prod_drydock_team"
	scale = "prod_drydock_scale"
	home  = "http://drydock.example/plan?tab=all"
)

// submit sends a page's form as a browser does, and gives where that leads.
func submit(t *testing.T, page string, fields url.Values) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page, strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s: %s", page, response.Status)
	}
	return response.Header.Get("Location")
}

// buy opens Checkout for a plan and pays.
func buy(t *testing.T, c *billing.Client, login, plan string) {
	t.Helper()
	page, err := c.Checkout(within(t), login, plan, home, "")
	if err != nil {
		t.Fatal(err)
	}
	if at := submit(t, page, url.Values{"action": {"pay"}, "card": {"works"}}); at != "http://drydock.example/plan?checkout=success&tab=all" {
		t.Errorf("paid, the browser is at %s", at)
	}
}

// held is an account's subscriptions at Stripe, oldest first, as status and product.
func (w *world) held(t *testing.T, account *model.Account) []string {
	t.Helper()
	list := w.call(t, "GET", "/v1/subscriptions?status=all&customer="+account.CustomerID, nil)["data"].([]any)
	all := []string{}
	for _, item := range slices.Backward(list) {
		subscription := item.(map[string]any)
		price := subscription["items"].(map[string]any)["data"].([]any)[0].(map[string]any)["price"].(map[string]any)
		all = append(all, fmt.Sprint(subscription["status"], " ", price["product"]))
	}
	return all
}

// TestCheckout tells who may buy what.
func TestCheckout(t *testing.T) {
	cases := []struct {
		reason string
		// before is what the account has done, at Stripe.
		before func(t *testing.T, w *world, account *model.Account)
		plan   string
		want   fault.Kind // empty: a page
		says   string
		after  []string // once it is paid
	}{
		{reason: "a first plan", plan: team, after: []string{"active " + team}},
		{
			reason: "an upgrade ends the plan before, once it is paid",
			before: func(t *testing.T, w *world, account *model.Account) { w.subscribe(t, account, team) },
			plan:   scale, after: []string{"canceled " + team, "active " + scale},
		},
		{
			reason: "a downgrade too",
			before: func(t *testing.T, w *world, account *model.Account) { w.subscribe(t, account, scale) },
			plan:   team, after: []string{"canceled " + scale, "active " + team},
		},
		{
			reason: "another plan than the one that is not paid for",
			before: func(t *testing.T, w *world, account *model.Account) {
				w.stripe.SetSubscriptionStatus(w.subscribe(t, account, team), "past_due")
			},
			plan: scale, after: []string{"canceled " + team, "active " + scale},
		},
		{
			reason: "a subscription to something else of the same seller stays",
			before: func(t *testing.T, w *world, account *model.Account) { w.other(t, account) },
			plan:   team, after: []string{"active prod_other", "active " + team},
		},
		{
			reason: "a plan that ended may be bought again",
			before: func(t *testing.T, w *world, account *model.Account) {
				w.call(t, "DELETE", "/v1/subscriptions/"+w.subscribe(t, account, team), nil)
			},
			plan: team, after: []string{"canceled " + team, "active " + team},
		},
		{
			reason: "the plan that the account has",
			before: func(t *testing.T, w *world, account *model.Account) { w.subscribe(t, account, team) },
			plan:   team, want: fault.Conflict, says: "You have the plan Team already",
		},
		{reason: "the free plan is no purchase", plan: free, want: fault.BadUserInput, says: "customer portal"},
		{reason: "a plan that is not", plan: "prod_none", want: fault.BadUserInput, says: "not on offer"},
		{
			reason: "a plan that was taken off",
			before: func(t *testing.T, w *world, _ *model.Account) {
				w.call(t, "POST", "/v1/products/"+scale, url.Values{"active": {"false"}})
			},
			plan: scale, want: fault.BadUserInput, says: "not on offer",
		},
		{
			reason: "a plan without a price",
			before: func(t *testing.T, w *world, _ *model.Account) {
				w.call(t, "POST", "/v1/products", url.Values{"id": {"prod_gift"}, "name": {"Gift"}, "metadata[drydock.plan]": {"true"}})
			},
			plan: "prod_gift", want: fault.BadUserInput, says: "has no price",
		},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			account := signUp(t, w.started(t), "ada")
			if c.before != nil {
				c.before(t, w, account)
			}
			client := w.started(t)
			if c.want != "" {
				_, err := client.Checkout(within(t), "ada", c.plan, home, "")
				if fault.KindOf(err) != c.want || !strings.Contains(fault.PublicOf(err), c.says) {
					t.Errorf("got %v, want %s and %q", err, c.want, c.says)
				}
				return
			}
			buy(t, client, "Ada", c.plan)
			if err := client.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.after, w.held(t, account)); diff != "" {
				t.Errorf("subscriptions (-want +got):\n%s", diff)
			}
			if now, err := client.Account(within(t), "ada"); err != nil || now.PlanID != c.plan {
				t.Errorf("the account is %+v, %v", now, err)
			}
		})
	}
}

// other subscribes an account to a product that is no plan of ours.
func (w *world) other(t *testing.T, account *model.Account) {
	t.Helper()
	w.call(t, "POST", "/v1/products", url.Values{"id": {"prod_other"}, "name": {"Other"}})
	price := w.call(t, "POST", "/v1/prices", url.Values{
		"product": {"prod_other"}, "currency": {"usd"}, "unit_amount": {"500"}, "recurring[interval]": {"month"},
	})["id"].(string)
	w.call(t, "POST", "/v1/subscriptions", url.Values{"customer": {account.CustomerID}, "items[0][price]": {price}})
}

// TestCheckoutTwice opens two pages and pays on both: one plan is left, the newest, also
// where several replicas see it at once.
func TestCheckoutTwice(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	one, other := w.started(t), w.started(t)
	account := signUp(t, one, "ada")
	first, err := one.Checkout(within(t), "ada", team, home, "")
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	buy(t, one, "ada", scale)
	w.clock.Advance(time.Minute)
	submit(t, first, url.Values{"action": {"pay"}, "card": {"works"}})
	caught := make(chan error)
	for _, c := range []*billing.Client{one, other} {
		go func() { caught <- c.CatchUp(context.WithoutCancel(t.Context())) }()
	}
	if err, again := <-caught, <-caught; err != nil || again != nil {
		t.Fatal(err, again)
	}
	if diff := cmp.Diff([]string{"canceled " + scale, "active " + team}, w.held(t, account)); diff != "" {
		t.Errorf("subscriptions (-want +got):\n%s", diff)
	}
}

// TestReplacedByARead has no event tell of a purchase: whoever reads the account sees it.
func TestReplacedByARead(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	account := signUp(t, w.started(t), "ada")
	w.subscribe(t, account, team)
	buy(t, w.started(t), "ada", scale)
	// A replica that starts now takes the events for told.
	late := w.started(t)
	if _, err := late.Account(within(t), "ada"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"canceled " + team, "active " + scale}, w.held(t, account)); diff != "" {
		t.Errorf("subscriptions (-want +got):\n%s", diff)
	}
	if now, err := late.Account(within(t), "ada"); err != nil || now.PlanID != scale {
		t.Errorf("the account is %+v, %v", now, err)
	}
}

// TestReplacedInSpiteOfTrouble has the end of the old subscription fail at first: the
// next look at the events brings it about, once.
func TestReplacedInSpiteOfTrouble(t *testing.T) {
	cases := []struct {
		reason string
		fault  billingtest.Fault
	}{
		{"an outage", billingtest.Fault{Status: 503, Times: 4}},
		{"an answer that was lost: it is not ended twice", billingtest.Fault{DropAfter: true}},
		{"a lock", billingtest.Fault{Status: 429, Code: "lock_timeout"}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			account := signUp(t, w.started(t), "ada")
			w.subscribe(t, account, team)
			client := w.started(t)
			buy(t, client, "ada", scale)
			c.fault.Match = "DELETE /v1/subscriptions/{id}"
			w.stripe.Inject(c.fault)
			if err := client.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			w.stripe.ClearFaults()
			if err := client.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"canceled " + team, "active " + scale}, w.held(t, account)); diff != "" {
				t.Errorf("subscriptions (-want +got):\n%s", diff)
			}
			ended := w.call(t, "GET", "/v1/events?type=customer.subscription.deleted", nil)["data"].([]any)
			if len(ended) != 1 {
				t.Errorf("it ended %d times", len(ended))
			}
		})
	}
}

// TestCheckoutKeys tells when two requests are the same change.
func TestCheckoutKeys(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	one, other := w.started(t), w.started(t)
	signUp(t, one, "ada")
	signUp(t, one, "grace")
	open := func(c *billing.Client, login, plan, key string) string {
		t.Helper()
		page, err := c.Checkout(within(t), login, plan, home, key)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	page := open(one, "ada", team, "k")
	cases := []struct {
		reason           string
		login, plan, key string
		same             bool
	}{
		{"the same again, at another replica", "ada", team, "k", true},
		{"another plan", "ada", scale, "k", false},
		{"another account", "grace", team, "k", false},
		{"another key", "ada", team, "l", false},
		{"no key", "ada", team, "", false},
	}
	seen := []string{page}
	for _, c := range cases {
		got := open(other, c.login, c.plan, c.key)
		if (got == page) != c.same || !c.same && slices.Contains(seen, got) {
			t.Errorf("%s: got %s after %v", c.reason, got, seen)
		}
		seen = append(seen, got)
	}
	first, err := one.Portal(within(t), "ada", home, "k")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := other.Portal(within(t), "ada", home, "k"); err != nil || again != first {
		t.Errorf("the portal again: %s and %s, %v", first, again, err)
	}
	w.clock.Advance(time.Minute)
	if later, err := other.Portal(within(t), "ada", home, "k"); err != nil || later == first {
		t.Errorf("a minute later the portal has the same address: %v", err)
	}
}

// TestPriceThatJustChanged buys at a price that is off sale, before anything told of it.
func TestPriceThatJustChanged(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	c := w.started(t)
	signUp(t, c, "ada")
	prices := w.call(t, "GET", "/v1/prices?product="+team+"&recurring[usage_type]=licensed", nil)["data"].([]any)
	w.call(t, "POST", "/v1/prices/"+prices[0].(map[string]any)["id"].(string), url.Values{"active": {"false"}})
	w.call(t, "POST", "/v1/prices", url.Values{"product": {team}, "currency": {"usd"}, "unit_amount": {"3000"}, "recurring[interval]": {"month"}})
	if _, err := c.Checkout(within(t), "ada", team, home, ""); fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.PublicOf(err), "price changed") {
		t.Fatalf("got %v", err)
	}
	buy(t, c, "ada", team)
}
