package billing_test

import (
	"testing"
	"time"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestUsageAtAPeriodsStart asks for the usage of a period that has just begun: what the
// period before held is never given for it.
func TestUsageAtAPeriodsStart(t *testing.T) {
	const summaries = "GET /v1/billing/meters/{id}/event_summaries"
	cases := []struct {
		reason string
		fault  billingtest.Fault
		want   fault.Kind // empty: nothing used
	}{
		{"Stripe is well", billingtest.Fault{Match: "none"}, ""},
		{"Stripe is slow", billingtest.Fault{Match: summaries, Latency: 500 * time.Millisecond}, ""},
		{"Stripe is down", billingtest.Fault{Times: -1, Status: 503}, fault.Unavailable},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			client := w.started(t, func(o *billing.Options) { o.Patience = 50 * time.Millisecond })
			signUp(t, client, "ada")
			if err := client.ReportUsage(within(t), model.UsageReport{Login: "ada", BuildUID: "uid", Seconds: 3600, FinishedAt: noon}); err != nil {
				t.Fatal(err)
			}
			w.clock.Set(at("2024-05-31 23:59:00"))
			if usage, err := client.Usage(within(t), "ada", model.UsagePeriodCurrent); err != nil || usage.BuildSeconds != 3600 {
				t.Fatalf("in May: %+v, %v", usage, err)
			}
			w.clock.Set(at("2024-06-01 00:01:00"))
			w.stripe.Inject(c.fault)
			usage, err := client.Usage(within(t), "ada", model.UsagePeriodCurrent)
			switch {
			case c.want != "" && fault.KindOf(err) != c.want:
				t.Errorf("got %+v, %v, want %s", usage, err, c.want)
			case c.want == "" && (err != nil || usage.BuildSeconds != 0 || !usage.PeriodStart.Equal(at("2024-06-01 00:00:00"))):
				t.Errorf("in June: %+v, %v", usage, err)
			}
			// What was read of May still is what is known of it.
			if usage, err := client.Usage(within(t), "ada", model.UsagePeriodPrevious); err != nil || usage.BuildSeconds != 3600 {
				t.Errorf("of May: %+v, %v", usage, err)
			}
		})
	}
}
