package billing_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/transport"
)

// TestFaults makes Stripe fail in each of its ways, for good, and tells what callers see.
func TestFaults(t *testing.T) {
	cases := []struct {
		reason string
		fault  billingtest.Fault
		kind   fault.Kind
	}{
		{"down", billingtest.Fault{Status: 503}, fault.Unavailable},
		{"broken", billingtest.Fault{Status: 500}, fault.Unavailable},
		{"cut off before", billingtest.Fault{DropBefore: true}, fault.Unavailable},
		{"cut off behind", billingtest.Fault{DropAfter: true}, fault.Unavailable},
		{"too many requests", billingtest.Fault{Status: 429, Reason: "global-rate"}, fault.RateLimited},
		{"a lock", billingtest.Fault{Status: 429, Code: "lock_timeout"}, fault.RateLimited},
		{"the key in flight", billingtest.Fault{Status: 409, Code: "idempotency_key_in_use"}, fault.Unavailable},
		{"too slow", billingtest.Fault{Latency: time.Minute}, fault.Unavailable},
		{"the key is revoked", billingtest.Fault{Status: 401}, fault.Internal},
		{"the key may not", billingtest.Fault{Status: 403}, fault.Internal},
		{"gone", billingtest.Fault{Status: 404, Code: "resource_missing"}, fault.NotFound},
		{"our request is wrong", billingtest.Fault{Status: 400, Code: "parameter_unknown"}, fault.Internal},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			signUp(t, w.client(t), "ada")
			client := w.started(t, func(o *billing.Options) {
				if c.fault.Latency > 0 {
					o.Timeout = time.Second
				}
			})
			c.fault.Times = -1
			w.stripe.Inject(c.fault)
			_, err := client.Account(within(t), "ada")
			if fault.KindOf(err) != c.kind {
				t.Errorf("got %v, want %s", err, c.kind)
			}
			if public := fault.PublicOf(err); strings.Contains(public, "cus_") || strings.Contains(strings.ToLower(public), "stripe") {
				t.Errorf("the public words tell internals: %s", public)
			}
			w.stripe.ClearFaults()
			// What failed was not remembered; what was said to be gone is looked for anew.
			w.clock.Advance(31 * time.Second)
			if account, err := client.Account(within(t), "ada"); err != nil {
				t.Errorf("after the fault: %v, %v", account, err)
			}
		})
	}
}

func TestNotStripe(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html>bad gateway</html>"))
	}))
	defer proxy.Close()
	c, err := billing.New(billing.Options{
		Key: "sk_test_x", APIBase: proxy.URL, Retry: transport.Retry{Attempts: 2, Wait: time.Millisecond, MaxWait: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Plans(within(t)); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestCallersDeadline(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	signUp(t, w.client(t), "ada")
	c := w.started(t)
	w.stripe.Inject(billingtest.Fault{Times: -1, Latency: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Account(ctx, "ada"); fault.KindOf(err) != fault.Timeout {
		t.Errorf("got %v", err)
	}
}

// TestStripeDown reads what was read before while Stripe is down, and starts when it
// comes back.
func TestStripeDown(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	c := w.started(t)
	signUp(t, c, "ada")
	read := func() (*model.Account, *model.Usage, []*model.Plan) {
		t.Helper()
		account, err := c.Account(within(t), "ada")
		if err != nil {
			t.Fatal(err)
		}
		usage, err := c.Usage(within(t), "ada", model.UsagePeriodCurrent)
		if err != nil {
			t.Fatal(err)
		}
		plans, err := c.Plans(within(t))
		if err != nil {
			t.Fatal(err)
		}
		return account, usage, plans
	}
	account, usage, plans := read()
	w.stripe.Inject(billingtest.Fault{Times: -1, Status: 503})
	w.clock.Advance(2 * time.Hour)
	stillAccount, stillUsage, stillPlans := read()
	if diff := cmp.Diff(account, stillAccount) + cmp.Diff(usage, stillUsage) + cmp.Diff(plans, stillPlans); diff != "" {
		t.Errorf("the old answers stand in (-before +while down):\n%s", diff)
	}
	if _, err := c.SignUp(within(t), model.Identity{Login: "new"}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a write got %v", err)
	}
	if err := c.Ready(); err != nil {
		t.Errorf("a replica that knows what it needs stays ready: %v", err)
	}

	late := w.client(t)
	started := make(chan error, 1)
	go func() { started <- late.Start(within(t)) }()
	ended, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.client(t).Start(ended); err == nil {
		t.Error("started without Stripe")
	}
	w.stripe.ClearFaults()
	if err := <-started; err != nil {
		t.Errorf("Stripe came back: %v", err)
	}
	if err := late.Ready(); err != nil {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	cases := []struct {
		reason  string
		options billing.Options
		want    string
	}{
		{"no key", billing.Options{}, "key is missing"},
		{"no scheme", billing.Options{Key: "sk_test_x", APIBase: "localhost:12111"}, "API base"},
		{"limits below nothing", billing.Options{Key: "sk_test_x", Limits: billing.Limits{Search: -1}}, "rate limits"},
		{"no host", billing.Options{Key: "sk_test_x", APIBase: "http://"}, "API base"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			if _, err := billing.New(c.options); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
