package controller_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestUntracked: builds from before there was a ledger, without a finalizer, get one
// as long as they matter, so that they are in the ledger when they are deleted.
func TestUntracked(t *testing.T) {
	clock := newClock()
	w := newWorldWith(t, billingtest.Options{Now: clock.Now})
	image := w.image("app")
	old := func(number int64, age time.Duration, change func(*v1alpha1.BuildStatus)) *v1alpha1.Build {
		build := w.build(image, number)
		end := metav1.NewTime(clock.Now().Add(-age))
		start := metav1.NewTime(end.Add(-time.Minute))
		build.Status = v1alpha1.BuildStatus{Phase: v1alpha1.PhaseSucceeded, Reason: v1alpha1.ReasonPushed, StartTime: &start, CompletionTime: &end}
		change(&build.Status)
		w.writeStatus(build)
		return build
	}
	billedThen := func(s *v1alpha1.BuildStatus) {
		s.Billing = &v1alpha1.BuildBilling{Seconds: 60, ReportTime: *s.CompletionTime}
	}
	cases := []struct {
		reason  string
		build   *v1alpha1.Build
		tracked bool
		entered int64
	}{
		{"billed a day ago", old(1, 24*time.Hour, billedThen), true, 60},
		{"not billed yet", old(2, time.Hour, func(*v1alpha1.BuildStatus) {}), true, 60},
		{"billed, and forgotten by the ledger", old(3, 41*24*time.Hour, billedThen), false, 0},
		{"it has no seconds", old(4, time.Hour, func(s *v1alpha1.BuildStatus) { s.StartTime = nil }), false, 0},
		{"it has no end, by hand", old(5, time.Hour, func(s *v1alpha1.BuildStatus) { s.CompletionTime = nil }), false, 0},
	}
	w.run()
	for _, c := range cases {
		w.await(c.build, c.reason+", and billed", billed)
		if c.tracked {
			w.await(c.build, c.reason+", and tracked", func(b *v1alpha1.Build) bool {
				return slices.Contains(b.Finalizers, controller.FinalizerMetering)
			})
		} else if got := w.await(c.build, "there", ended).Finalizers; len(got) != 0 {
			t.Errorf("%s: finalizers %v, want none", c.reason, got)
		}
		w.delete(c.build)
	}
	w.eventually("all are gone", func() bool { return len(w.builds()) == 0 })
	entered := w.entered()
	for _, c := range cases {
		if got := entered[string(c.build.UID)]; got != c.entered {
			t.Errorf("%s: the ledger has %d seconds, want %d", c.reason, got, c.entered)
		}
	}
}

// TestUnknownAccount: billing does not know a deleted build's account. That may pass,
// so nothing is written off for a day; after that nobody pays, and the build goes.
func TestUnknownAccount(t *testing.T) {
	clock := newClock()
	w := newWorldWith(t, billingtest.Options{Now: clock.Now})
	image := w.image("app")
	first := w.finished(image, 1, 60, clock.Now())
	w.delete(first)
	doubt := &doubtful{Billing: w.billing, times: 2}
	stop := w.run(func(o *controller.Options) { o.Billing = doubt })
	w.eventually("the build is gone", func() bool { return len(w.builds()) == 0 })
	stop()
	if got := w.stripe.MeterSum(w.customer, clock.Now(), clock.Now().Add(time.Minute)); got != 60 || w.entered()[string(first.UID)] != 60 {
		t.Errorf("Stripe holds %d seconds, the ledger has %v; want 60 in both", got, w.entered())
	}

	deleted, kept := w.finished(image, 2, 30, clock.Now()), w.finished(image, 3, 30, clock.Now())
	w.delete(deleted)
	w.forgetAccount()
	clock.Advance(25 * time.Hour)
	w.run()
	w.eventually("the deleted build is gone", func() bool { return len(w.builds()) == 1 })
	if got := w.await(kept, "there", ended).Status.Billing; got != nil {
		t.Errorf("a build that nobody deleted was written off: %+v", got)
	}
	if got, there := w.entered()[string(deleted.UID)]; there {
		t.Errorf("the ledger has %d seconds that nobody paid", got)
	}
}

// doubtful is billing that does not know an account at first.
type doubtful struct {
	controller.Billing
	times int64
	asked atomic.Int64
}

func (d *doubtful) ReportUsage(ctx context.Context, report model.UsageReport) error {
	if d.asked.Add(1) <= d.times {
		return fault.New(fault.NotFound, "there is no such account")
	}
	return d.Billing.ReportUsage(ctx, report)
}
