package billing_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/transport"
)

// refusals counts the answers of status 429 that pass.
type refusals struct {
	next      http.RoundTripper
	all, many atomic.Int32
}

func (r *refusals) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	r.all.Add(1)
	if err == nil && response.StatusCode == http.StatusTooManyRequests {
		r.many.Add(1)
	}
	return response, err
}

// TestLimits has one client ask as fast as it may.
func TestLimits(t *testing.T) {
	const accounts = 40
	cases := []struct {
		reason string
		limits billing.Limits
		mode   billingtest.Limits
		// takes is the least that so many requests can take at nine tenths of the limit.
		takes time.Duration
	}{
		{"a test key: 25 a second in all", billing.Limits{}, billingtest.TestMode, 2 * accounts * time.Second / 25},
		{"live limits, by a setting: 25 a second of each kind", billing.Limits{Total: 100}, billingtest.LiveMode, accounts * time.Second / 25},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: c.mode})
			for n := range accounts {
				w.add(t, fmt.Sprint("user-", n))
			}
			connection := http.DefaultTransport.(*http.Transport).Clone()
			t.Cleanup(connection.CloseIdleConnections)
			counted := &refusals{next: connection}
			client := w.started(t, func(o *billing.Options) { o.HTTP, o.Limits = counted, c.limits })
			start := time.Now()
			var people sync.WaitGroup
			for n := range accounts {
				people.Go(func() {
					if _, err := client.Usage(within(t), fmt.Sprint("user-", n), model.UsagePeriodCurrent); err != nil {
						t.Error(err)
					}
				})
			}
			people.Wait()
			// Bursts save a little.
			if took := time.Since(start); took < c.takes*9/10 {
				t.Errorf("took %v, less than %v: faster than Stripe allows", took, c.takes)
			}
			if n := counted.many.Load(); n > 0 {
				t.Errorf("%d requests were refused", n)
			}
		})
	}
}

// TestFiftyReplicas starts fifty replicas at once against the limits of test mode, and
// each is asked for dashboards at once, with nothing in its memory: people wait, and
// nobody sees a refusal.
func TestFiftyReplicas(t *testing.T) {
	const replicas, dashboards = 50, 2
	w := newWorld(t, billingtest.Options{Limits: billingtest.TestMode})
	for n := range replicas * dashboards {
		w.add(t, fmt.Sprint("user-", n))
	}
	connection := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(connection.CloseIdleConnections)
	counted := &refusals{next: connection}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var everybody sync.WaitGroup
	for replica := range replicas {
		c := w.client(t, func(o *billing.Options) { o.HTTP, o.Retry = counted, transport.Retry{} })
		c.Share(replicas)
		everybody.Go(func() {
			if err := c.Start(ctx); err != nil {
				t.Errorf("replica %d did not start: %v", replica, err)
				return
			}
			var people sync.WaitGroup
			for n := range dashboards {
				people.Go(func() {
					login := fmt.Sprint("user-", replica*dashboards+n)
					usage, err := c.Usage(ctx, login, model.UsagePeriodCurrent)
					if err != nil || usage.Login != login {
						t.Errorf("%s at replica %d: %v, %v", login, replica, usage, err)
					}
				})
			}
			people.Wait()
		})
	}
	start := time.Now()
	everybody.Wait()
	all, many := counted.all.Load(), counted.many.Load()
	t.Logf("%d requests in %v, %d of them refused and made again", all, time.Since(start).Round(time.Millisecond), many)
	if many > all/10 {
		t.Errorf("%d of %d requests were over the limit: the replicas share it badly", many, all)
	}
}
