package billing_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
)

const cancelling = "DELETE /v1/subscriptions/{id}"

// TestCaughtUpThoughUnsettled has Stripe refuse to end a subscription that was replaced:
// the events are read on all the same, and each once.
func TestCaughtUpThoughUnsettled(t *testing.T) {
	cases := []struct {
		reason string
		fault  billingtest.Fault
		// tries is how often Stripe is asked to end it, in five rounds.
		tries   int
		problem bool
		after   []string // once Stripe is well again
	}{
		{
			"for good", billingtest.Fault{Match: cancelling, Times: -1, Status: 400, Code: "customer_tax_location_invalid"},
			1, true, []string{"active " + team, "active " + scale},
		},
		{
			"for now: it is tried again", billingtest.Fault{Match: cancelling, Times: -1, Status: 503},
			5 * 4, false, []string{"canceled " + team, "active " + scale},
		},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			client := w.started(t)
			account := signUp(t, client, "ada")
			w.subscribe(t, account, team)
			buy(t, client, "ada", scale)
			w.stripe.Inject(c.fault)
			w.stripe.ResetRequests()
			for n := range 5 {
				w.call(t, "POST", "/v1/customers", form("email", fmt.Sprint(n, "@example.com")))
				w.clock.Advance(time.Hour)
				if err := client.CatchUp(within(t)); err != nil {
					t.Error(err)
				}
			}
			if requests := w.stripe.Requests(); requests[cancelling] != c.tries || requests["GET /v1/events"] != 5 {
				t.Errorf("requests %v, want %d tries", requests, c.tries)
			}
			problems := strings.Join(client.Details()["problems"].([]string), "\n")
			if strings.Contains(problems, "refuses to end it") != c.problem {
				t.Errorf("problems %q", problems)
			}
			w.stripe.ClearFaults()
			if err := client.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.after, w.held(t, account)); diff != "" {
				t.Errorf("subscriptions (-want +got):\n%s", diff)
			}
			// A read sees it, too.
			client.HearAll()
			if now, err := client.Account(within(t), "ada"); err != nil || now.PlanID != scale {
				t.Errorf("the account is %+v, %v", now, err)
			}
			if diff := cmp.Diff([]string{"canceled " + team, "active " + scale}, w.held(t, account)); diff != "" {
				t.Errorf("subscriptions after a read (-want +got):\n%s", diff)
			}
			if problems := client.Details()["problems"].([]string); len(problems) > 0 {
				t.Errorf("problems %q", problems)
			}
		})
	}
}

// TestWebhookSettledLater has a webhook tell of a purchase while Stripe fails: another
// replica, which was told of what changed, does not take it for settled.
func TestWebhookSettledLater(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	replicas, _ := w.replicas(t, 2)
	account := signUp(t, replicas[0], "ada")
	w.subscribe(t, account, team)
	for _, replica := range replicas {
		if err := replica.CatchUp(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	buy(t, replicas[0], "ada", scale)
	bought := w.call(t, "GET", "/v1/events?type=customer.subscription.created&limit=1", nil)["data"].([]any)[0]
	body, err := json.Marshal(bought)
	if err != nil {
		t.Fatal(err)
	}
	deliver := func(c *billing.Client) error {
		return c.Webhook(within(t), body, billingtest.Sign(body, time.Now(), whsec))
	}
	w.stripe.Inject(billingtest.Fault{Match: cancelling, Times: 4, Status: 503})
	if err := deliver(replicas[0]); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	if err := deliver(replicas[1]); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"canceled " + team, "active " + scale}, w.held(t, account)); diff != "" {
		t.Errorf("subscriptions (-want +got):\n%s", diff)
	}
	w.stripe.ResetRequests()
	if err := deliver(replicas[0]); err != nil || len(w.stripe.Requests()) > 0 {
		t.Errorf("sent again, all is told already: %v, %v", err, w.stripe.Requests())
	}
}

// TestReplacedCredit tells what of the replaced plan's price is credited.
func TestReplacedCredit(t *testing.T) {
	cases := []struct {
		reason, status string
		want           int // cents
	}{
		{"paid for a month, half of it used", "active", 1000},
		{"a trial", "trialing", 0},
		{"the payment failed", "past_due", 0},
		{"never paid", "unpaid", 0},
		{"paused", "paused", 0},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			client := w.started(t)
			account := signUp(t, client, "ada")
			w.clock.Set(at("2024-06-01 00:00:00"))
			w.stripe.SetSubscriptionStatus(w.subscribe(t, account, team), c.status)
			w.clock.Set(at("2024-06-16 00:00:00"))
			if err := client.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			buy(t, client, "ada", scale)
			if err := client.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"canceled " + team, "active " + scale}, w.held(t, account)); diff != "" {
				t.Errorf("subscriptions (-want +got):\n%s", diff)
			}
			balance := w.call(t, "GET", "/v1/customers/"+account.CustomerID, nil)["balance"]
			if balance != -float64(c.want) && (c.want != 0 || balance != 0.0) {
				t.Errorf("the balance is %v, want a credit of %d", balance, c.want)
			}
		})
	}
}
