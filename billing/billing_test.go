package billing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
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
		// A machine that is slow for a moment is not Stripe that is slow.
		Timeout: time.Minute, Patience: time.Minute,
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

// started is a client that is ready and knows all accounts.
func (w *world) started(t *testing.T, change ...func(*billing.Options)) *billing.Client {
	t.Helper()
	c := w.client(t, change...)
	if err := c.Start(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := c.Ready(); err != nil {
		t.Fatal(err)
	}
	until(t, "the directory is complete", func() bool { return c.Details()["directoryComplete"].(bool) })
	return c
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := within(t); !holds(); {
		select {
		case <-deadline.Done():
			t.Fatal("it did not come about: " + what)
		case <-time.After(time.Millisecond):
		}
	}
}

// within bounds what a test waits for.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// call asks the stand-in as an operator does, with a form, and gives the answer's JSON.
func (w *world) call(t *testing.T, method, path string, form url.Values) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("sk_test_operator", "")
	request.Header.Set(billingtest.Aside, "true")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %v", method, path, response.StatusCode, answer)
	}
	return answer
}

// add has Stripe hold an account since just now, of which it tells in no event.
func (w *world) add(t *testing.T, login string) {
	t.Helper()
	if _, err := w.stripe.AddCustomer(login, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
}

// signUp makes an account.
func signUp(t *testing.T, c *billing.Client, login string) *model.Account {
	t.Helper()
	account, err := c.SignUp(within(t), model.Identity{Login: login})
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// subscribe puts an account on a plan, as Checkout will.
func (w *world) subscribe(t *testing.T, account *model.Account, productID string) string {
	t.Helper()
	prices := w.call(t, "GET", "/v1/prices?product="+productID, nil)["data"].([]any)
	form := url.Values{"customer": {account.CustomerID}}
	for i, price := range prices {
		form.Set(fmt.Sprintf("items[%d][price]", i), price.(map[string]any)["id"].(string))
	}
	return w.call(t, "POST", "/v1/subscriptions", form)["id"].(string)
}
