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

// TestFiftyReplicas starts fifty replicas at once against the limits of test mode, and
// each is asked for dashboards at once, with nothing in its memory: people wait, and
// nobody sees a refusal.
func TestFiftyReplicas(t *testing.T) {
	const replicas, dashboards = 50, 2
	w := newWorld(t, billingtest.Options{Limits: billingtest.TestMode})
	for n := range replicas * dashboards {
		w.call(t, "POST", "/v1/customers", form("metadata[drydock.login]", fmt.Sprint("user-", n)))
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
