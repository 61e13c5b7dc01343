package controller_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/metering"
)

const summaries = "GET /v1/billing/meters/{id}/event_summaries"

// TestReconcile: the books of three accounts. One is right; one lacks seconds of a
// build and of a deleted one, has some too many, and one that waits for its report;
// one is unknown to Stripe, as are those of other tests.
func TestReconcile(t *testing.T) {
	clock := newClock()
	w := newWorldWith(t, billingtest.Options{Now: clock.Now, MeterLag: 50 * time.Minute})
	w.alone()
	hour := clock.Now()
	at := func(minutes int) time.Time { return hour.Add(time.Duration(minutes) * time.Minute) }
	clock.Advance(55 * time.Minute)

	right := w
	image := right.image("app")
	for n := range int64(3) {
		build := right.finished(image, n+1, 10+n, at(int(n)))
		right.count(build)
		right.bill(build)
	}
	wrong := *w
	wrong.newAccount()
	image = wrong.image("app")
	lost := wrong.bill(wrong.finished(image, 1, 60, at(1)))
	wrong.count(wrong.bill(wrong.finished(image, 2, 30, at(1).Add(time.Second))))
	deleted := wrong.bill(wrong.finished(image, 3, 45, at(7)))
	wrong.count(wrong.bill(wrong.finished(image, 4, 5, at(9))))
	wrong.event("by hand", 25, at(9))
	wrong.event("by hand, too", 10, at(40))
	stop := w.run()
	wrong.delete(deleted)
	w.eventually("the deleted build is gone", func() bool { return len(wrong.builds()) == 3 })
	stop()
	gone := *w
	gone.newAccount()
	gone.bill(gone.finished(gone.image("app"), 1, 3, at(3)))
	gone.forgetAccount()
	clock.Advance(26 * time.Hour)
	waiting := wrong.finished(image, 5, 500, clock.Now().Add(-3*time.Hour))

	books, err := controller.NewBooks(controller.BooksOptions{Kubeconfig: w.kubeconfig, Meter: w.billing, Log: testLog(t), Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	drift := func(from, minutes int, billed, metered int64, repair ...*v1alpha1.Build) metering.Drift {
		d := metering.Drift{Login: wrong.login, CustomerID: wrong.customer, Start: at(from), End: at(from + minutes), Billed: billed, Metered: metered}
		for _, build := range repair {
			d.Repair = append(d.Repair, metering.Build{UID: string(build.UID)})
		}
		return d
	}
	missing := []metering.Drift{drift(1, 1, 90, 30, lost), drift(7, 1, 45, 0, deleted)}
	surplus := []metering.Drift{drift(9, 1, 5, 30), drift(0, 60, 0, 10)}
	repaired := []metering.Drift{missing[0], missing[1]}
	repaired[0].Repaired, repaired[1].Repaired = true, true
	rounds := []struct {
		reason   string
		apply    bool
		after    time.Duration
		drifts   []metering.Drift
		requests int // of sums: one for each account, and one for each minute of the hour that drifts
	}{
		{"a dry run tells", false, 0, append(missing, surplus...), 2 + 3 + 1}, // and one for the customer that is gone
		{"and does nothing", false, 0, append(missing, surplus...), 2 + 3},
		{"a repair reports what is missing", true, 0, append(repaired, surplus...), 2 + 3},
		{"which may not show yet", true, 0, nil, 2},
		{"what is too much stays", true, 2 * time.Hour, surplus, 2 + 3},
	}
	for _, round := range rounds {
		clock.Advance(round.after)
		w.stripe.ResetRequests()
		report, err := books.Reconcile(t.Context(), hour, round.apply)
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Unread) != 0 || report.Accounts != 2 || report.Builds != 8 {
			t.Errorf("%s: %d builds of %d accounts, not read %v; want 8 of 2", round.reason, report.Builds, report.Accounts, report.Unread)
		}
		if diff := cmp.Diff(round.drifts, report.Drifts, cmpopts.IgnoreFields(metering.Drift{}, "Why"),
			cmpopts.IgnoreFields(metering.Build{}, "Finished", "Seconds", "Billed", "Told"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: drifts (-want +got):\n%s", round.reason, diff)
		}
		if got := w.stripe.Requests()[summaries]; got != round.requests {
			t.Errorf("%s: %d requests for sums, want %d", round.reason, got, round.requests)
		}
	}
	w.stripe.Inject(billingtest.Fault{Match: summaries, Times: -1, Status: 503})
	report, err := books.Reconcile(t.Context(), hour, true)
	if err != nil || report.Unread[right.login] == nil || report.Unread[wrong.login] == nil || len(report.Drifts) != 0 {
		t.Errorf("while Stripe is away: %+v, %v", report, err)
	}
	w.stripe.ClearFaults()
	if got := w.await(waiting, "there", ended).Status.Billing; got != nil {
		t.Errorf("a build that waits for its report was touched: %+v", got)
	}
	if got, want := w.stripe.MeterSum(wrong.customer, at(0), at(60)), int64(60+30+45+5+25+10); got != want {
		t.Errorf("the meter holds %d seconds, want %d", got, want)
	}
}

// bill writes that a build was billed.
func (w *world) bill(build *v1alpha1.Build) *v1alpha1.Build {
	w.t.Helper()
	build.Status.Billing = &v1alpha1.BuildBilling{Seconds: controller.Seconds(build), ReportTime: metav1.NewTime(w.now())}
	w.writeStatus(build)
	return build
}

// event is one that somebody sends to the meter by hand.
func (w *world) event(identifier string, seconds int64, at time.Time) {
	w.t.Helper()
	form := url.Values{
		"event_name": {"drydock_build_seconds"}, "identifier": {w.login + identifier}, "timestamp": {fmt.Sprint(at.Unix())},
		"payload[stripe_customer_id]": {w.customer}, "payload[value]": {fmt.Sprint(seconds)},
	}
	w.operate(http.MethodPost, "/v1/billing/meter_events", form)
}

// forgetAccount deletes the account's customer.
func (w *world) forgetAccount() {
	w.t.Helper()
	w.operate(http.MethodDelete, "/v1/customers/"+w.customer, nil)
}

// operate asks Stripe as an operator does.
func (w *world) operate(method, path string, form url.Values) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.stripeURL+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("sk_test_operator", "")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("%s %s: %s", method, path, response.Status)
	}
}

// TestDaily: the controller compares by itself, says so in its metrics, and removes
// the ledger's old days.
func TestDaily(t *testing.T) {
	clock := newClock()
	w := newWorldWith(t, billingtest.Options{Now: clock.Now})
	image := w.image("app")
	clock.Advance(5 * time.Minute)
	w.bill(w.finished(image, 1, 60, clock.Now()))
	for _, days := range []int{39, 41} {
		day := clock.Now().AddDate(0, 0, -days).Format(time.DateOnly)
		w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "drydock-ledger-" + day + "-0", Labels: map[string]string{controller.LabelLedger: day}}})
	}
	clock.Advance(3 * time.Hour)
	registry := prometheus.NewRegistry()
	w.run(func(o *controller.Options) { o.ReconcileEvery, o.Registerer = 200*time.Millisecond, registry })
	w.eventually("the metrics tell of the drift", func() bool {
		return testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP drydock_metering_drift_seconds What the last comparison found missing on the meter, or of no build, or undecided.
# TYPE drydock_metering_drift_seconds gauge
drydock_metering_drift_seconds{direction="missing"} 60
drydock_metering_drift_seconds{direction="surplus"} 0
drydock_metering_drift_seconds{direction="undecided"} 0
`), "drydock_metering_drift_seconds") == nil
	})
	w.eventually("the ledger's old day is gone, the other is not", func() bool {
		var list corev1.ConfigMapList
		if err := w.kube.List(t.Context(), &list, client.InNamespace(w.namespace), client.HasLabels{controller.LabelLedger}); err != nil {
			t.Fatal(err)
		}
		return len(list.Items) == 1
	})
}

// alone takes away the builds and the ledgers of other tests' accounts, which the books
// would read, too.
func (w *world) alone() {
	w.t.Helper()
	var builds v1alpha1.BuildList
	var pages corev1.ConfigMapList
	for _, err := range []error{w.kube.List(w.t.Context(), &builds), w.kube.List(w.t.Context(), &pages, client.HasLabels{controller.LabelLedger})} {
		if err != nil {
			w.t.Fatal(err)
		}
	}
	for i := range builds.Items {
		build := &builds.Items[i]
		before := build.DeepCopy()
		build.Finalizers = nil
		err := w.kube.Patch(w.t.Context(), build, client.MergeFrom(before))
		if err == nil {
			err = w.kube.Delete(w.t.Context(), build)
		}
		if client.IgnoreNotFound(err) != nil {
			w.t.Fatal(err)
		}
	}
	for i := range pages.Items {
		if err := w.kube.Delete(w.t.Context(), &pages.Items[i]); client.IgnoreNotFound(err) != nil {
			w.t.Fatal(err)
		}
	}
}
