package billing_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
)

// TestHold tells when no build may begin.
func TestHold(t *testing.T) {
	const day = 24 * time.Hour
	cases := []struct {
		reason string
		status string // empty: no subscription
		after  time.Duration
		grace  time.Duration
		want   string // empty: builds begin
	}{
		{"no subscription", "", 0, 0, ""},
		{"paid", "active", 20 * day, 0, ""},
		{"a payment failed, not long ago", "past_due", 7*day - time.Second, 0, ""},
		{"a payment failed a week ago", "past_due", 7 * day, 0, "due on 15 May 2024"},
		{"another grace period", "past_due", time.Hour, time.Hour, "customer portal"},
		{"within another grace period", "past_due", 8 * day, 10 * day, ""},
		{"unpaid: the default plan holds", "unpaid", 20 * day, 0, ""},
		{"paused: the default plan holds", "paused", 20 * day, 0, ""},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			account := signUp(t, w.started(t), "ada")
			if c.status != "" {
				w.stripe.SetSubscriptionStatus(w.subscribe(t, account, team), c.status)
			}
			client := w.started(t, func(o *billing.Options) { o.Grace = c.grace })
			w.clock.Advance(c.after)
			words, err := client.Hold(within(t), "ada")
			if err != nil || (words == "") != (c.want == "") || !strings.Contains(words, c.want) {
				t.Errorf("got %q, %v; want %q", words, err, c.want)
			}
		})
	}
	t.Run("nobody", func(t *testing.T) {
		if _, err := newWorld(t, billingtest.Options{}).started(t).Hold(within(t), "ada"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("got %v", err)
		}
	})
}

// TestPortal walks from a failed payment to a paid plan, and from there to the free one.
func TestPortal(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	c := w.started(t)
	account := signUp(t, c, "ada")
	subscription := w.subscribe(t, account, team)
	w.stripe.SetSubscriptionStatus(subscription, "past_due")
	w.clock.Advance(8 * 24 * time.Hour)
	held := func() string {
		t.Helper()
		if err := c.CatchUp(within(t)); err != nil {
			t.Fatal(err)
		}
		words, err := c.Hold(within(t), "ada")
		if err != nil {
			t.Fatal(err)
		}
		return words
	}
	if held() == "" {
		t.Error("builds begin, unpaid for a week")
	}
	portal, err := c.Portal(within(t), "ada", home, "")
	if err != nil {
		t.Fatal(err)
	}
	press := func(action string) { submit(t, portal, url.Values{"subscription": {subscription}, "action": {action}}) }
	press("card")
	if words := held(); words != "" {
		t.Errorf("paid by another card, and: %s", words)
	}
	press("cancel")
	held()
	if now, err := c.Account(within(t), "ada"); err != nil || !now.Subscription.CancelAtPeriodEnd || now.PlanID != team {
		t.Errorf("cancelled at the period's end: %+v, %v", now, err)
	}
	w.clock.Advance(31 * 24 * time.Hour)
	w.stripe.RollOver()
	held()
	if now, err := c.Account(within(t), "ada"); err != nil || now.Subscription != nil || now.PlanID != "" {
		t.Errorf("behind the period's end: %+v, %v", now, err)
	}
	if _, err := c.Portal(within(t), "grace", home, ""); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the portal of nobody: %v", err)
	}
}
