package controller_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/metering"
)

// TestUnexplained: a deleted build of 60 seconds of which nobody knows whether Stripe
// has it, and 45 seconds of its minute on the meter that nothing explains. The
// controller waits, reconcile tells, and somebody decides, or time does.
func TestUnexplained(t *testing.T) {
	cases := []struct {
		reason  string
		decide  func(*testing.T, *controller.Books, *world, time.Time)
		wait    time.Duration
		metered int64
		entered int64 // of the ledger
	}{
		{"it was counted, somebody says", settle(true), 0, 45, 60},
		{"it is missing, somebody says", settle(false), 0, 105, 60},
		{"nobody says anything until Stripe takes it no more", func(*testing.T, *controller.Books, *world, time.Time) {}, 34 * 24 * time.Hour, 45, 0},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			clock := newClock()
			w := newWorldWith(t, billingtest.Options{Now: clock.Now})
			image, minute := w.image("app"), clock.Now()
			clock.Advance(time.Hour)
			build := w.finished(image, 1, 60, minute)
			w.delete(build)
			w.event("by hand", 45, minute.Add(time.Second))
			books, err := controller.NewBooks(controller.BooksOptions{Kubeconfig: w.kubeconfig, Meter: w.billing, Log: testLog(t), Now: clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			drifts := func() []metering.Drift {
				report, err := books.Reconcile(t.Context(), minute, true)
				if err != nil {
					t.Fatal(err)
				}
				return report.Drifts
			}
			clock.Advance(3 * time.Hour)
			if got := drifts(); len(got) != 0 {
				t.Errorf("while it may be reported again: %+v", got)
			}
			if _, err := books.Settle(t.Context(), w.login, minute, true); fault.KindOf(err) != fault.BadUserInput {
				t.Errorf("a decision while it may be reported again: %v", err)
			}

			clock.Advance(27 * time.Hour)
			sibling := w.finished(image, 2, 7, minute.Add(time.Hour))
			stop := w.run()
			w.await(sibling, "billed", billed) // all of the account's late builds were looked at
			stop()
			want := []metering.Drift{{
				Login: w.login, CustomerID: w.customer, Start: minute, End: minute.Add(time.Minute), Unsure: 60, Metered: 45,
				Undecided: true, Why: metering.ErrUnexplained.Error(),
			}}
			if diff := cmp.Diff(want, drifts()); diff != "" {
				t.Errorf("drifts (-want +got):\n%s", diff)
			}
			c.decide(t, books, w, minute)
			clock.Advance(c.wait)
			w.run()
			w.eventually("the deleted build is gone", func() bool { return len(w.builds()) == 1 })
			if got := w.stripe.MeterSum(w.customer, minute, minute.Add(time.Minute)); got != c.metered {
				t.Errorf("Stripe holds %d seconds, want %d", got, c.metered)
			}
			if got := w.entered()[string(build.UID)]; got != c.entered {
				t.Errorf("the ledger has %d seconds, want %d", got, c.entered)
			}
		})
	}
}

// settle decides about the one build of a minute, and no other.
func settle(counted bool) func(*testing.T, *controller.Books, *world, time.Time) {
	return func(t *testing.T, books *controller.Books, w *world, minute time.Time) {
		if _, err := books.Settle(t.Context(), w.login, minute.Add(time.Minute), counted); fault.KindOf(err) != fault.BadUserInput {
			t.Errorf("a decision about a minute without builds: %v", err)
		}
		if builds, err := books.Settle(t.Context(), w.login, minute, counted); err != nil || builds != 1 {
			t.Errorf("decided about %d builds: %v", builds, err)
		}
	}
}
