package billing_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/graph/model"
)

// TestWarmHour reads warm dashboards every few seconds of simulated time while nothing changes
// at Stripe, with the events being read all along: no read asks Stripe anything, but for
// the sums of a new UTC day or billing period, once.
func TestWarmHour(t *testing.T) {
	const (
		events    = "GET /v1/events"
		summaries = "GET /v1/billing/meters/{id}/event_summaries"
	)
	cases := []struct {
		reason string
		from   time.Time
		want   map[string]int
	}{
		{"an hour of a day", noon, map[string]int{}},
		// ada has a calendar month, grace a subscription that began at noon: two sums.
		{"the hour around midnight", at("2024-05-15 23:30:00"), map[string]int{summaries: 1 + 2}},
		// ada's month ends: the new one, and the one before.
		{"the hour in which a month ends", at("2024-05-31 23:30:00"), map[string]int{summaries: 2 + 2}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			operator := w.client(t)
			signUp(t, operator, "ada")
			w.subscribe(t, signUp(t, operator, "grace"), "prod_drydock_team")
			w.clock.Set(c.from)
			client := w.started(t, func(o *billing.Options) { o.CatchUpEvery = 5 * time.Millisecond })
			read := func() {
				for _, login := range []string{"ada", "grace"} {
					dashboard(t, client, login)
					if login == "grace" {
						continue
					}
					if _, err := client.Usage(within(t), login, model.UsagePeriodPrevious); err != nil {
						t.Fatal(err)
					}
				}
			}
			read()
			// The sums of before the start are looked at again for some minutes.
			w.clock.Advance(6 * time.Minute)
			read()
			w.stripe.ResetRequests()
			for range 3600 / 5 {
				w.clock.Advance(5 * time.Second)
				read()
			}
			// The events of before are not heeded as new ones while they are read again.
			until(t, "the events are read", func() bool { return w.stripe.Requests()[events] >= 10 })
			read()
			got := w.stripe.Requests()
			delete(got, events)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestBilledBuilds drops an account's usage when a build of it was billed. Stripe's sums may
// take it in a little later, so they are looked at again for some minutes, then held.
func TestBilledBuilds(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	signUp(t, w.client(t), "ada")
	c := w.started(t)
	dashboard(t, c, "ada")
	w.stripe.ResetRequests()
	c.ForgetUsage("ADA")
	var sums []int
	for range 60 { // a quarter of an hour
		dashboard(t, c, "ada")
		sums = append(sums, w.stripe.Requests()["GET /v1/billing/meters/{id}/event_summaries"])
		w.clock.Advance(15 * time.Second)
	}
	want := make([]int, 60)
	for i := range want {
		want[i] = min(1+i/2, 11)
	}
	if diff := cmp.Diff(want, sums); diff != "" {
		t.Errorf("sums read so far, every 15 seconds (-want +got):\n%s", diff)
	}
}
