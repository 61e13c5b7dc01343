package controller_test

import (
	"testing"
	"time"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/controller"
)

// TestFormerOwnersPay: builds of a login's former owner are counted on the former owner's
// meter, at once, late and in the books; those that tell no customer on the login's.
func TestFormerOwnersPay(t *testing.T) {
	clock := newClock()
	w := newWorldWith(t, billingtest.Options{Now: clock.Now})
	former := *w
	former.newAccount()
	paidBy := func(customer string) func(*v1alpha1.Build) {
		return func(b *v1alpha1.Build) { b.Spec.Customer = customer }
	}
	image, hour := w.image("app"), clock.Now()
	clock.Advance(30 * time.Minute)

	theirs := w.finished(image, 1, 100, hour, paidBy(former.customer))
	mine := w.finished(image, 2, 10, hour, paidBy(w.customer))
	stop := w.run()
	w.await(mine, "billed", billed)
	w.delete(w.await(theirs, "billed", billed))
	w.eventually("the deleted build is gone", func() bool { return len(w.builds()) == 1 })
	stop()

	w.finished(image, 3, 200, hour.Add(time.Second), paidBy(former.customer))
	former.event("3", 200, hour) // it was told of, and the answer was lost
	w.finished(image, 4, 400, hour.Add(2*time.Second), paidBy(former.customer))
	w.finished(image, 5, 20, hour.Add(3*time.Second), paidBy(w.customer))
	w.finished(image, 6, 40, hour.Add(4*time.Second))
	clock.Advance(28 * time.Hour)
	for _, unbilled := range []int{1, 0} { // the missing one is reported before the other counts as told
		clock.Advance(2 * time.Hour)
		stop = w.run()
		w.eventually("the late builds are billed", func() bool {
			left := 0
			for _, build := range w.builds() {
				if build.Status.Billing == nil {
					left++
				}
			}
			return left == unbilled
		})
		stop()
	}
	for owner, want := range map[*world]int64{&former: 100 + 200 + 400, w: 10 + 20 + 40} {
		if got := w.stripe.MeterSum(owner.customer, hour, hour.Add(time.Hour)); got != want {
			t.Errorf("%s has %d seconds, want %d", owner.login, got, want)
		}
	}

	clock.Advance(2 * time.Hour)
	books, err := controller.NewBooks(controller.BooksOptions{Kubeconfig: w.kubeconfig, Meter: w.billing, Log: testLog(t), Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	report, err := books.Reconcile(t.Context(), hour, false)
	if err != nil || len(report.Drifts) != 0 || len(report.Unread) != 0 || report.Builds < 6 {
		t.Errorf("the books: %+v, %v", report, err)
	}
}
