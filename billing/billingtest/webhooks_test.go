package billingtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stripe/stripe-go/v76/webhook"

	"drydock.dev/drydock/billing/billingtest"
)

// receiver takes webhooks as an application does: by stripe-go.
type receiver struct {
	url, secret string

	mu      sync.Mutex
	refuse  int
	taken   []string
	refused int
	wrong   []error
}

func newReceiver(t *testing.T, secret string) *receiver {
	r := &receiver{secret: secret}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	event, signature := struct{ ID string }{}, webhook.ValidatePayload(body, request.Header.Get("Stripe-Signature"), r.secret)
	for _, err := range []error{err, signature, json.Unmarshal(body, &event)} {
		if err != nil {
			r.wrong = append(r.wrong, err)
		}
	}
	if r.refuse > 0 {
		r.refuse--
		r.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.taken = append(r.taken, event.ID)
}

// waitFor gives what was taken, once it is that many.
func (r *receiver) waitFor(t *testing.T, n int) []string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		taken, wrong := slices.Clone(r.taken), slices.Clone(r.wrong)
		r.mu.Unlock()
		for _, err := range wrong {
			t.Fatal(err)
		}
		if len(taken) >= n {
			return taken
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d taken, want %d", len(taken), n)
		}
	}
}

// control posts to the stand-in's controls.
func (o *operator) control(method, path, body string) {
	o.t.Helper()
	request, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusNoContent {
		o.t.Fatalf("%s %s: %s", method, path, response.Status)
	}
}

// TestWebhooks has three customers made, one after the other, and looks at what comes.
func TestWebhooks(t *testing.T) {
	cases := []struct {
		reason string
		faults string
		refuse int
		// came is how many came after each of the three, want which of them, in order.
		came, want []int
	}{
		{"each event once", ``, 0, []int{1, 2, 3}, []int{0, 1, 2}},
		{"tried again when not taken", ``, 2, []int{1, 2, 3}, []int{0, 1, 2}},
		{"twice", `{"twice": true}`, 0, []int{2, 3, 4}, []int{0, 0, 1, 2}},
		{"lost", `{"lose": true}`, 0, []int{0, 1, 2}, []int{1, 2}},
		{"lost, of another type", `{"lose": true, "type": "product.*"}`, 0, []int{1, 2, 3}, []int{0, 1, 2}},
		{"behind the next", `{"behind": 1}`, 0, []int{0, 2, 3}, []int{1, 0, 2}},
		{"the wrong way round", `[{"behind": 2, "type": "customer.*"}, {"behind": 1}]`, 0, []int{0, 0, 3}, []int{2, 1, 0}},
		{"late", `{"delay": 500000000}`, 0, []int{0, 1, 3}, []int{1, 2, 0}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			r := newReceiver(t, "whsec_one")
			r.refuse = c.refuse
			o := newOperator(t, billingtest.Options{Webhooks: []billingtest.Webhook{{URL: r.url, Secret: "whsec_one", Types: []string{"customer.*"}}}})
			if c.faults != "" {
				o.control("POST", "/_drydock/webhook-faults", c.faults)
			}
			var made []string
			for n := range 3 {
				o.must("POST", "/v1/customers")
				made = append(made, o.must("GET", "/v1/events", "limit", "1").data()[0]["id"].(string))
				r.waitFor(t, c.came[n])
			}
			got := []int{}
			for _, id := range r.waitFor(t, len(c.want)) {
				got = append(got, slices.Index(made, id))
			}
			if diff := cmp.Diff(c.want, got); diff != "" || r.refused != c.refuse {
				t.Errorf("refused %d (-want +got):\n%s", r.refused, diff)
			}
			if left := o.must("GET", "/v1/events", "type", "product.created").data()[0]["pending_webhooks"]; left != 0.0 {
				t.Errorf("%v wait for an event that nobody wants", left)
			}
		})
	}
}

// TestWebhookSecrets rolls an endpoint's secret, and removes the endpoint.
func TestWebhookSecrets(t *testing.T) {
	r := newReceiver(t, "whsec_old")
	o := newOperator(t, billingtest.Options{})
	register := func(webhook string) { o.control("POST", "/_drydock/webhooks", fmt.Sprintf(webhook, r.url)) }
	register(`{"url": %q, "secret": "whsec_old"}`)
	o.must("POST", "/v1/customers")
	r.waitFor(t, 1)
	register(`{"url": %q, "secret": "whsec_new", "retiring": "whsec_old"}`)
	o.must("POST", "/v1/customers")
	r.waitFor(t, 2)
	r.mu.Lock()
	r.secret = "whsec_new"
	r.mu.Unlock()
	o.must("POST", "/v1/customers")
	r.waitFor(t, 3)
	register(`{"url": %q, "secret": "whsec_new"}`)
	o.must("POST", "/v1/customers")
	r.waitFor(t, 4)
	o.control("DELETE", "/_drydock/webhooks", "")
	o.must("POST", "/v1/customers")
	if pending := o.must("GET", "/v1/events").data()[0]["pending_webhooks"]; pending != 0.0 {
		t.Errorf("%v webhooks wait where none is registered", pending)
	}
}
