package billing_test

import (
	"net/url"
	"testing"
	"time"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/graph/model"
)

// TestStanding gives customers subscriptions to plans and to something else of the same
// seller: how the account stands comes from its plans alone, those off sale included.
func TestStanding(t *testing.T) {
	const day = 24 * time.Hour
	archive := func(t *testing.T, w *world) {
		w.call(t, "POST", "/v1/products/"+team, url.Values{"active": {"false"}})
	}
	otherIs := func(t *testing.T, w *world, account *model.Account, status string) {
		w.other(t, account)
		newest := w.call(t, "GET", "/v1/subscriptions?customer="+account.CustomerID, nil)["data"].([]any)[0].(map[string]any)
		w.stripe.SetSubscriptionStatus(newest["id"].(string), status)
	}
	cases := []struct {
		reason string
		before func(t *testing.T, w *world, account *model.Account)
		plan   string // empty: the default plan
		status model.SubscriptionStatus
		held   bool
	}{
		{"nothing", func(*testing.T, *world, *model.Account) {}, "", "", false},
		{"something else", func(t *testing.T, w *world, account *model.Account) { w.other(t, account) }, "", "", false},
		{
			"something else that is not paid for", func(t *testing.T, w *world, account *model.Account) { otherIs(t, w, account, "past_due") },
			"", "", false,
		},
		{"a plan that is off sale", func(t *testing.T, w *world, account *model.Account) {
			w.subscribe(t, account, team)
			archive(t, w)
		}, team, model.SubscriptionStatusActive, false},
		{"a plan that is off sale, and a newer subscription to something else", func(t *testing.T, w *world, account *model.Account) {
			w.subscribe(t, account, team)
			w.clock.Advance(time.Minute)
			w.other(t, account)
			archive(t, w)
		}, team, model.SubscriptionStatusActive, false},
		{"a plan that is not paid for, and something else that is", func(t *testing.T, w *world, account *model.Account) {
			w.stripe.SetSubscriptionStatus(w.subscribe(t, account, team), "past_due")
			w.other(t, account)
		}, team, model.SubscriptionStatusPastDue, true},
		{"a plan that is paid for, and something else that is not", func(t *testing.T, w *world, account *model.Account) {
			w.subscribe(t, account, team)
			otherIs(t, w, account, "past_due")
		}, team, model.SubscriptionStatusActive, false},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			w.clock.Set(at("2024-06-01 00:00:00"))
			warm := w.started(t)
			account := signUp(t, warm, "ada")
			c.before(t, w, account)
			w.clock.Advance(10 * day)
			if err := warm.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			for _, client := range []*billing.Client{warm, w.started(t), w.client(t)} {
				now, err := client.Account(within(t), "ada")
				if err != nil || now.PlanID != c.plan {
					t.Fatalf("the account is %+v, %v", now, err)
				}
				if subscription := now.Subscription; (subscription == nil) != (c.status == "") || subscription != nil && subscription.Status != c.status {
					t.Errorf("the subscription is %+v, want %q", subscription, c.status)
				}
				want := c.plan
				if want == "" {
					want = free
				}
				if plan, err := client.PlanOf(within(t), now); err != nil || plan.ProductID != want {
					t.Errorf("the plan is %+v, %v", plan, err)
				}
				if words, err := client.Hold(within(t), "ada"); err != nil || (words != "") != c.held {
					t.Errorf("hold %q, %v", words, err)
				}
				listed, err := client.Accounts(within(t), model.Page{First: 1})
				if err != nil || len(listed.Items) != 1 || listed.Items[0].PlanID != c.plan {
					t.Errorf("listed %+v, %v", listed.Items, err)
				}
			}
		})
	}
}
