package billing_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestTrial gives one to accounts that never had a subscription.
func TestTrial(t *testing.T) {
	cases := []struct {
		reason, days string
		before       bool // whether there was a subscription
		want         model.SubscriptionStatus
	}{
		{"a first subscription", "14", false, model.SubscriptionStatusTrialing},
		{"a second one", "14", true, model.SubscriptionStatusActive},
		{"no days", "0", false, model.SubscriptionStatusActive},
		{"no number", "a fortnight", false, model.SubscriptionStatusActive},
		{"longer than Stripe's longest", "731", false, model.SubscriptionStatusActive},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			account := signUp(t, w.started(t), "ada")
			w.call(t, "POST", "/v1/products/"+team, url.Values{"metadata[drydock.trial_days]": {c.days}})
			if c.before {
				w.call(t, "DELETE", "/v1/subscriptions/"+w.subscribe(t, account, scale), nil)
			}
			client := w.started(t)
			buy(t, client, "ada", team)
			if err := client.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			now, err := client.Account(within(t), "ada")
			if err != nil || now.PlanID != team || now.Subscription.Status != c.want {
				t.Fatalf("the account is %+v, %v", now, err)
			}
			if c.want == model.SubscriptionStatusTrialing && !now.Subscription.CurrentPeriodEnd.Equal(noon.AddDate(0, 0, 14)) {
				t.Errorf("the trial ends on %s", now.Subscription.CurrentPeriodEnd)
			}
		})
	}
}

// TestOneTrial opens pages for two plans that both have a trial before anything is bought:
// one trial is all there is.
func TestOneTrial(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	for _, plan := range []string{team, scale} {
		w.call(t, "POST", "/v1/products/"+plan, url.Values{"metadata[drydock.trial_days]": {"14"}})
	}
	c := w.started(t)
	account := signUp(t, c, "ada")
	open := func(plan, key string) string {
		t.Helper()
		page, err := c.Checkout(within(t), "ada", plan, home, key)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	status := func(page string) any {
		id := page[strings.LastIndex(page, "/")+1:]
		return w.call(t, "GET", "/v1/checkout/sessions/"+id, nil)["status"]
	}
	first := open(team, "k")
	if again := open(team, "k"); again != first || status(first) != "open" {
		t.Errorf("the same again gave %s after %s, which is %v", again, first, status(first))
	}
	second := open(scale, "l")
	if status(first) != "expired" || status(second) != "open" {
		t.Errorf("the first page is %v, the second %v", status(first), status(second))
	}
	submit(t, second, url.Values{"action": {"pay"}, "card": {"works"}})
	w.clock.Advance(time.Hour)
	buy(t, c, "ada", team)
	if err := c.CatchUp(within(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"canceled " + scale, "active " + team}, w.held(t, account)); diff != "" {
		t.Errorf("subscriptions (-want +got):\n%s", diff)
	}
}

// TestTrialPaidMeanwhile has the first page be paid just before it is closed.
func TestTrialPaidMeanwhile(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	w.call(t, "POST", "/v1/products/"+team, url.Values{"metadata[drydock.trial_days]": {"14"}})
	c := w.started(t)
	signUp(t, c, "ada")
	if _, err := c.Checkout(within(t), "ada", team, home, ""); err != nil {
		t.Fatal(err)
	}
	w.stripe.Inject(billingtest.Fault{Match: "POST /v1/checkout/sessions/{id}/expire", Status: 400})
	if _, err := c.Checkout(within(t), "ada", team, home, ""); fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.PublicOf(err), "opened before") {
		t.Errorf("got %v", err)
	}
}
