package billing_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
)

// TestCatchUpRequests tells what catching up costs, and that what it did is not done again.
func TestCatchUpRequests(t *testing.T) {
	const (
		events   = "GET /v1/events"
		customer = "GET /v1/customers/{id}"
	)
	cases := []struct {
		reason string
		// changes are made of customers nobody reads, and at the end one of ada.
		changes int
		want    map[string]int
	}{
		{"nothing happened", -1, map[string]int{events: 1}},
		{"the account changed", 0, map[string]int{events: 1, customer: 1}},
		{"so did others, over some pages", 250, map[string]int{events: 3, customer: 1}},
		{"more than is worth reading: all is read anew", 2100, map[string]int{
			events: 20, customer: 1, "GET /v1/billing/meters/{id}/event_summaries": 1,
			"GET /v1/products": 1, "GET /v1/prices": 1, "GET /v1/billing/meters": 1,
		}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			account := signUp(t, w.client(t), "ada")
			client := w.started(t, unhurried)
			dashboard(t, client, "ada")
			for n := range c.changes {
				w.call(t, "POST", "/v1/customers", form("email", fmt.Sprintf("%d@example.com", n)))
			}
			if c.changes >= 0 {
				w.call(t, "POST", "/v1/customers/"+account.CustomerID, form("email", "ada@example.com"))
			}
			w.stripe.ResetRequests()
			if err := client.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			dashboard(t, client, "ada")
			if diff := cmp.Diff(c.want, w.stripe.Requests()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			w.clock.Advance(5 * time.Minute)
			dashboard(t, client, "ada") // the sums, once they are surely whole
			if err := client.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			w.stripe.ResetRequests()
			dashboard(t, client, "ada")
			if diff := cmp.Diff(map[string]int{}, w.stripe.Requests()); diff != "" {
				t.Errorf("caught up twice (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOutageHeals changes an account while Stripe is out of reach: what is held stands in,
// and within seconds of Stripe's return the change is seen, and who watches is woken.
func TestOutageHeals(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	account := signUp(t, w.client(t), "ada")
	c := w.started(t, func(o *billing.Options) { o.CatchUpEvery = 20 * time.Millisecond })
	before := show(t, c, "ada")
	tokens, err := c.WatchAccount(within(t), "ada")
	if err != nil {
		t.Fatal(err)
	}
	<-tokens
	w.stripe.Inject(billingtest.Fault{Times: -1, DropBefore: true})
	w.call(t, "POST", "/v1/customers/"+account.CustomerID, form("email", "ada@example.com"))
	c.HearAll()
	<-tokens
	if diff := cmp.Diff(before, show(t, c, "ada")); diff != "" {
		t.Errorf("what was held stands in (-want +got):\n%s", diff)
	}
	w.stripe.ClearFaults()
	for deadline := within(t); show(t, c, "ada").Email == ""; {
		select {
		case <-tokens:
		case <-deadline.Done():
			t.Fatal("nobody told that Stripe is back")
		}
	}
}

// TestKeyMayNotReadEvents has nobody tell what changed: then everything is asked for anew
// in each round, and the operator is told.
func TestKeyMayNotReadEvents(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	account := signUp(t, w.client(t), "ada")
	w.stripe.Inject(billingtest.Fault{Match: "GET /v1/events", Times: -1, Status: 403})
	c := w.started(t)
	show(t, c, "ada")
	w.call(t, "POST", "/v1/customers/"+account.CustomerID, form("email", "ada@example.com"))
	if err := c.CatchUp(within(t)); err != nil {
		t.Fatal(err)
	}
	if got := show(t, c, "ada"); got.Email != "ada@example.com" {
		t.Errorf("got %+v", got)
	}
	if problems := c.Details()["problems"].([]string); len(problems) != 1 {
		t.Errorf("problems %q, want one", problems)
	}
}
