package billing_test

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/billing/billingtest/openapi"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// describe reads Stripe's description once for all tests.
var describe = sync.OnceValues(openapi.Load)

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

func (c *clock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }

// world is a stand-in Stripe on loopback, held to Stripe's description, and its clock.
type world struct {
	stripe *billingtest.Server
	url    string
	clock  *clock
}

// noon is the tests' time unless they say otherwise.
var noon = time.Date(2024, time.May, 15, 12, 0, 0, 0, time.UTC)

func newWorld(t *testing.T, options billingtest.Options) *world {
	t.Helper()
	w := &world{clock: &clock{now: noon}}
	options.Now = w.clock.Now
	stripe, err := billingtest.New(options)
	if err != nil {
		t.Fatal(err)
	}
	w.stripe = stripe
	description, err := describe()
	if err != nil {
		t.Fatal(err)
	}
	checked := description.Check(stripe)
	server := httptest.NewServer(checked)
	w.url = server.URL
	t.Cleanup(func() {
		server.Close()
		violations, _ := checked.Violations()
		for _, violation := range violations {
			t.Error("not as Stripe describes it:", violation)
		}
		if err := stripe.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// client is a client of the world that asked nothing yet.
func (w *world) client(t *testing.T, change ...func(*billing.Options)) *billing.Client {
	t.Helper()
	options := billing.Options{
		Key: "sk_test_drydock", APIBase: w.url, Now: w.clock.Now,
		Retry: transport.Retry{Attempts: 4, Wait: time.Millisecond, MaxWait: 10 * time.Millisecond},
	}
	for _, f := range change {
		f(&options)
	}
	c, err := billing.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// started is a client that is ready.
func (w *world) started(t *testing.T, change ...func(*billing.Options)) *billing.Client {
	t.Helper()
	c := w.client(t, change...)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Ready(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSmoke(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	c := w.started(t)
	account, err := c.SignUp(t.Context(), model.Identity{Login: "Ada", GithubID: 7, Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", account)
	if err := c.ReportUsage(t.Context(), model.UsageReport{Login: "ada", BuildUID: "u1", Seconds: 90, FinishedAt: noon}); err != nil {
		t.Fatal(err)
	}
	w.stripe.ResetRequests()
	c2 := w.started(t)
	t.Log(w.stripe.Requests())
	w.stripe.ResetRequests()
	usage, err := c2.Usage(t.Context(), "ada", model.UsagePeriodCurrent)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %v", usage, w.stripe.Requests())
	plans, err := c2.Plans(t.Context())
	for _, p := range plans {
		t.Logf("%+v %+v %+v", p, p.Price, p.Limits)
		if p.Price.MeteredUnitAmountPerMinute != nil {
			t.Log(*p.Price.MeteredUnitAmountPerMinute)
		}
	}
	t.Log(err, c2.Details())
}
