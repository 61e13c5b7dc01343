package controller_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/controller"
)

// lists takes note of what is listed past the cache.
type lists struct {
	next http.RoundTripper
	mu   sync.Mutex
	made []*url.URL
}

func (l *lists) RoundTrip(request *http.Request) (*http.Response, error) {
	if query := request.URL.Query(); request.Method == http.MethodGet && query.Get("watch") == "" && query.Get("resourceVersion") == "" {
		l.mu.Lock()
		l.made = append(l.made, request.URL)
		l.mu.Unlock()
	}
	return l.next.RoundTrip(request)
}

// of are the queries of those lists whose path ends so.
func (l *lists) of(path string) (queries []url.Values) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, made := range l.made {
		if strings.HasSuffix(made.Path, path) {
			queries = append(queries, made.Query())
		}
	}
	return queries
}

func (l *lists) option(w *world) func(*controller.Options) {
	return func(o *controller.Options) {
		o.Config = w.controllerConfig()
		o.Config.Wrap(func(next http.RoundTripper) http.RoundTripper {
			l.next = next
			return l
		})
	}
}

// TestLateReads: an hour whose minutes must be looked at one by one costs two reads of
// the account's builds and ledger, however many minutes these are.
func TestLateReads(t *testing.T) {
	clock := newClock()
	w := newWorldWith(t, billingtest.Options{Now: clock.Now})
	image, hour := w.image("app"), clock.Now()
	clock.Advance(time.Hour)
	const minutes = 8
	for n := range int64(minutes) {
		build := w.finished(image, n+1, 60, hour.Add(time.Duration(n)*time.Minute))
		if n%2 == 0 {
			w.count(build)
		}
	}
	clock.Advance(30 * time.Hour)
	seen := &lists{}
	stop := w.run(seen.option(w))
	w.eventually("all are billed", func() bool {
		for _, build := range w.builds() {
			if !billed(&build) {
				return false
			}
		}
		return true
	})
	stop()
	if got := w.stripe.MeterSum(w.customer, hour, hour.Add(time.Hour)); got != minutes*60 {
		t.Errorf("Stripe holds %d seconds, want %d", got, minutes*60)
	}
	for _, kind := range []string{"/builds", "/configmaps"} {
		// A look at what it just wrote itself may follow, and costs one more.
		if got := len(seen.of("/namespaces/" + w.namespace + kind)); got == 0 || got > 4 {
			t.Errorf("%d lists of %s for %d minutes, want about 2", got, kind, minutes)
		}
	}
}

// TestDailyReads: the comparison asks for the ledger's pages of its days alone, and who
// removes old ones for no other, page by page.
func TestDailyReads(t *testing.T) {
	clock := newClock()
	w := newWorldWith(t, billingtest.Options{Now: clock.Now})
	page := func(days int) labels.Set {
		day := clock.Now().AddDate(0, 0, -days).Format(time.DateOnly)
		set := labels.Set{controller.LabelLedger: day}
		w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "drydock-ledger-" + day + "-0", Labels: set}})
		return set
	}
	near, far, old := page(1), page(30), page(42)
	seen := &lists{}
	w.run(seen.option(w), func(o *controller.Options) { o.ReconcileEvery = 200 * time.Millisecond })
	w.eventually("the ledger was read and cleared", func() bool { return len(seen.of("/api/v1/configmaps")) >= 2 })
	reads, clears := 0, 0
	for _, query := range seen.of("/api/v1/configmaps") {
		selector, err := labels.Parse(query.Get("labelSelector"))
		switch {
		case err != nil || query.Get("limit") == "" || selector.Matches(far) || selector.Matches(labels.Set{}):
			t.Errorf("a list takes what it does not need: %v %v", query, err)
		case selector.Matches(near) && !selector.Matches(old):
			reads++
		case selector.Matches(old) && !selector.Matches(near):
			clears++
		}
	}
	if reads == 0 || clears == 0 {
		t.Errorf("%d reads and %d clearings by their days", reads, clears)
	}
}
