package billingtest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing/billingtest"
)

func TestFaults(t *testing.T) {
	cases := []struct {
		reason string
		fault  string
		// status is the answer's, 0 a broken connection; made whether the customer was.
		status int
		made   bool
		header http.Header
	}{
		{"a rate limit with its reason", `{"status": 429, "reason": "global-concurrency", "retryAfter": "1"}`, 429, false,
			http.Header{"Stripe-Rate-Limited-Reason": {"global-concurrency"}, "Retry-After": {"1"}}},
		{"a refusal that says whether to come again", `{"status": 400, "shouldRetry": "true"}`, 400, false, http.Header{"Stripe-Should-Retry": {"true"}}},
		{"an outage", `{"status": 503}`, 503, false, nil},
		{"an error behind the effect", `{"status": 500, "afterEffect": true}`, 500, true, nil},
		{"a connection cut before", `{"dropBefore": true}`, 0, false, nil},
		{"a connection cut behind", `[{"dropAfter": true}]`, 0, true, nil},
		{"slowness", `{"latency": 1000000}`, 200, true, nil},
		{"another endpoint's trouble", `{"match": "GET /v1/prices", "status": 500}`, 200, true, nil},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			o := newOperator(t, billingtest.Options{})
			response, err := http.Post(o.url+"/_drydock/faults", "application/json", strings.NewReader(c.fault))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			got := o.do("POST", "/v1/customers", "metadata[drydock.login]", "ada")
			if made := len(o.stripe.Customers("ada")) == 1; got.status != c.status || made != c.made {
				t.Errorf("got %d, made %v", got.status, made)
			}
			for name := range c.header {
				if got.header.Get(name) != c.header.Get(name) {
					t.Errorf("%s is %q", name, got.header.Get(name))
				}
			}
			if again := o.do("POST", "/v1/customers"); again.status != 200 {
				t.Errorf("the fault was for one request: %d", again.status)
			}
		})
	}
}

// TestFailureIsKept has a key remember a failure, with and without its effect.
func TestFailureIsKept(t *testing.T) {
	for _, effect := range []bool{false, true} {
		o := newOperator(t, billingtest.Options{})
		o.stripe.Inject(billingtest.Fault{Status: 500, Kept: true, AfterEffect: effect})
		keyed := func(key string) reply {
			return o.with(http.Header{"Idempotency-Key": {key}}, "POST", "/v1/customers", "metadata[drydock.login]", "ada")
		}
		if first, again := keyed("k"), keyed("k"); first.status != 500 || again.status != 500 || again.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("got %d, then %d", first.status, again.status)
		}
		if made := len(o.stripe.Customers("ada")) == 1; made != effect {
			t.Errorf("effect %v, made %v", effect, made)
		}
		if other := keyed("l"); other.status != 200 {
			t.Errorf("by another key: %d", other.status)
		}
	}
}

func TestRequestsAreCounted(t *testing.T) {
	o := newOperator(t, billingtest.Options{})
	o.do("GET", "/v1/customers/cus_none")
	o.do("GET", "/v1/customers/search", "query", "name:'a'")
	read := func(method string) (counts map[string]int) {
		request, err := http.NewRequestWithContext(t.Context(), method, o.url+"/_drydock/requests", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if method == http.MethodGet {
			if err := json.NewDecoder(response.Body).Decode(&counts); err != nil {
				t.Fatal(err)
			}
		}
		return counts
	}
	if diff := cmp.Diff(map[string]int{"GET /v1/customers/{id}": 1, "GET /v1/customers/search": 1}, read(http.MethodGet)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	read(http.MethodDelete)
	if diff := cmp.Diff(map[string]int{}, read(http.MethodGet)); diff != "" {
		t.Errorf("after a reset (-want +got):\n%s", diff)
	}
}

func TestRateLimits(t *testing.T) {
	cases := []struct {
		reason  string
		limits  billingtest.Limits
		paths   []string
		form    []string
		method  string
		passed  int
		limited string
	}{
		{"25 in all in test mode", billingtest.TestMode, []string{"/v1/products", "/v1/prices"}, nil, "GET", 25, "global-rate"},
		{"25 on one endpoint in live mode", billingtest.LiveMode, []string{"/v1/products"}, nil, "GET", 25, "endpoint-rate"},
		{"100 in all in live mode", billingtest.LiveMode,
			[]string{"/v1/products", "/v1/prices", "/v1/customers", "/v1/subscriptions", "/v1/events"}, nil, "GET", 100, "global-rate"},
		{"Search has 20", billingtest.LiveMode, []string{"/v1/customers/search"}, []string{"query", "name:'a'"}, "GET", 20, "endpoint-rate"},
		{"meter events have their own", billingtest.TestMode, []string{"/v1/billing/meter_events"}, nil, "POST", 120, ""},
		{"none", billingtest.Unlimited, []string{"/v1/products"}, nil, "GET", 120, ""},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			now := noon
			o := newOperator(t, billingtest.Options{Limits: c.limits, LimitsNow: func() time.Time { return now }})
			passed := 0
			for n := range 120 {
				got := o.do(c.method, c.paths[n%len(c.paths)], c.form...)
				if got.status != http.StatusTooManyRequests {
					passed++
				} else if got.code() != "rate_limit" || got.header.Get("Stripe-Rate-Limited-Reason") != c.limited {
					t.Fatalf("limited as %v", got)
				}
			}
			if passed != c.passed {
				t.Errorf("%d passed, want %d", passed, c.passed)
			}
			if got := o.with(http.Header{billingtest.Aside: {"true"}}, c.method, c.paths[0], c.form...); got.status == http.StatusTooManyRequests {
				t.Error("a test's own request was limited")
			}
			now = now.Add(time.Second / 20)
			if got := o.do(c.method, c.paths[0], c.form...); got.status == http.StatusTooManyRequests {
				t.Error("limited when a token was there again")
			}
			if n := len(o.stripe.Requests()); n != len(c.paths) {
				t.Errorf("%d paths were counted", n)
			}
		})
	}
}

// TestStateFile ends a stand-in and starts another one on its file.
func TestStateFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stripe.json")
	var customer, session, newest string
	created := http.Header{"Idempotency-Key": {"k"}}
	t.Run("before", func(t *testing.T) {
		o := newOperator(t, billingtest.Options{StateFile: file})
		customer = o.with(created.Clone(), "POST", "/v1/customers", "metadata[drydock.login]", "ada").id()
		price := o.must("GET", "/v1/prices", "product", "prod_drydock_team", "recurring[usage_type]", "licensed").data()[0]["id"].(string)
		o.must("POST", "/v1/subscriptions", "customer", customer, "items[0][price]", price)
		o.event("uid", customer, "90", noon)
		session = o.sell(customer).id()
		newest = o.must("GET", "/v1/events", "limit", "1").data()[0]["id"].(string)
	})
	t.Run("after", func(t *testing.T) {
		o := newOperator(t, billingtest.Options{StateFile: file, SearchLag: time.Hour})
		if got := o.with(created.Clone(), "POST", "/v1/customers", "metadata[drydock.login]", "ada"); got.id() != customer {
			t.Errorf("the key was forgotten: %v", got.object)
		}
		if got := o.event("uid", customer, "90", noon); got.status != 400 {
			t.Errorf("the identifier was forgotten: %d", got.status)
		}
		if got := o.stripe.MeterSum(customer, noon, noon.Add(time.Minute)); got != 90 {
			t.Errorf("the meter has %d", got)
		}
		if n := len(o.must("GET", "/v1/customers/search", "query", "metadata['drydock.login']:'ada'").data()); n != 1 {
			t.Errorf("Search finds %d", n)
		}
		if got := o.browse(o.url+"/c/pay/"+session, "action", "pay", "card", "works"); got.status != http.StatusSeeOther {
			t.Errorf("the cart was forgotten: %+v", got)
		}
		if got := o.must("GET", "/v1/events", "ending_before", newest).data(); len(got) != 2 {
			t.Errorf("%d events since", len(got))
		}
		if n := len(o.must("GET", "/v1/products").data()); n != 3 {
			t.Errorf("%d products: seeded again?", n)
		}
		o.advance(40 * 24 * time.Hour)
		got := o.must("GET", "/v1/subscriptions", "customer", customer).data()[0]
		if start := got["current_period_start"]; fmt.Sprint(start) == fmt.Sprint(got["start_date"]) {
			t.Errorf("the period did not roll over: %v", start)
		}
	})
	t.Run("a broken file is told, not overwritten", func(t *testing.T) {
		if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := billingtest.New(billingtest.Options{StateFile: file}); err == nil {
			t.Error("no error")
		}
	})
}
