package controller_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestStripeIsDown: an outage holds up no phase; the seconds are told, once, when
// Stripe is back, also where it took them and its answer was lost.
func TestStripeIsDown(t *testing.T) {
	w := newWorld(t)
	w.run()
	image := w.image("app", func(image *v1alpha1.Image) {
		image.Spec.Source.Repository = w.git.runs("sleep", `["/helper", "sleep", "2000"]`)
	})
	w.stripe.Inject(billingtest.Fault{Times: -1, Status: 503})
	build := w.await(w.build(image, 1), "ended", ended)
	if build.Status.Phase != v1alpha1.PhaseSucceeded || build.Status.Billing != nil {
		t.Errorf("status %+v", build.Status)
	}
	w.eventually("the report was tried", func() bool { return w.stripe.Requests()["POST /v1/billing/meter_events"] > 0 })
	if got := w.metered(); got != 0 {
		t.Errorf("Stripe holds %d seconds while it is down", got)
	}
	w.stripe.ClearFaults()
	w.stripe.Inject(billingtest.Fault{Match: "POST /v1/billing/meter_events", Times: 2, Status: 500, AfterEffect: true})
	w.settled()
	if w.metered() < 2 {
		t.Errorf("Stripe holds %d seconds, the build slept for 2", w.metered())
	}
}

// TestQuotaUnknown: while usage cannot be read a build with a limit waits and says
// so; one that was used up meanwhile is refused.
func TestQuotaUnknown(t *testing.T) {
	w := newWorld(t)
	image := w.image("app")
	report := model.UsageReport{Login: w.login, BuildUID: "earlier", Seconds: 90, FinishedAt: time.Now().Add(-time.Minute)}
	if err := w.billing.ReportUsage(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	w.billing.ForgetUsage(w.login)
	w.stripe.Inject(billingtest.Fault{Times: -1, Status: 503})
	w.run()
	limit := func(minutes int64) func(*v1alpha1.Build) {
		return func(b *v1alpha1.Build) { b.Spec.Limits.BuildMinutes = &minutes }
	}
	refused, allowed := w.build(image, 1, limit(1)), w.build(image, 2, limit(10))
	w.await(refused, "waiting for billing", func(b *v1alpha1.Build) bool {
		return queued(b) && strings.Contains(b.Status.Message, "Waits until billing tells")
	})
	w.await(allowed, "queued behind it", queued)
	w.stripe.ClearFaults()
	if got := w.await(refused, "ended", ended).Status; got.Reason != v1alpha1.ReasonQuotaExceeded || got.StartTime != nil {
		t.Errorf("status %+v", got)
	}
	if got := w.await(allowed, "ended", ended).Status; got.Phase != v1alpha1.PhaseSucceeded {
		t.Errorf("status %+v", got)
	}
}

// TestHold: an account whose payment is overdue begins no build, and is told why; where
// nobody knows, builds go on.
func TestHold(t *testing.T) {
	cases := []struct {
		reason string
		words  string
		err    error
		want   string // status.reason
	}{
		{"in arrears", "The payment that was due failed.", nil, v1alpha1.ReasonQuotaExceeded},
		{"nothing is in the way", "", nil, v1alpha1.ReasonPushed},
		{"billing does not know the account", "", fault.New(fault.NotFound, "gone"), v1alpha1.ReasonQuotaExceeded},
		{"billing does not answer", "", fault.New(fault.Unavailable, "away"), v1alpha1.ReasonPushed},
	}
	w := newWorld(t)
	image := w.image("app")
	for i, c := range cases {
		stop := w.run(func(o *controller.Options) { o.Billing = holding{w.billing, c.words, c.err} })
		status := w.await(w.build(image, int64(i+1)), "billed", billed).Status
		if status.Reason != c.want || c.words != "" && (status.Message != c.words || status.StartTime != nil || status.Billing.Seconds != 0) {
			t.Errorf("%s: status %+v", c.reason, status)
		}
		stop()
	}
}

// holding is billing with another word about arrears.
type holding struct {
	controller.Billing
	words string
	err   error
}

func (h holding) Hold(context.Context, string) (string, error) { return h.words, h.err }
