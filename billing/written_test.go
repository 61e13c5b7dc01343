package billing_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// delayed holds the answer to the next request back that is about customers.
type delayed struct {
	next   *http.Transport
	method string // of the request
	// back is closed to let the answer go; nil where none is to be held.
	back atomic.Pointer[chan struct{}]
	// arrived is told when Stripe has answered.
	arrived chan struct{}
}

func newDelayed(t *testing.T, method string) *delayed {
	d := &delayed{next: &http.Transport{}, method: method, arrived: make(chan struct{}, 1)}
	t.Cleanup(d.next.CloseIdleConnections)
	return d
}

func (d *delayed) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := d.next.RoundTrip(request)
	if request.Method == d.method && strings.HasPrefix(request.URL.Path, "/v1/customers") {
		if back := d.back.Swap(nil); back != nil {
			d.arrived <- struct{}{}
			<-*back
		}
	}
	return response, err
}

// TestOwnWriteIsNotHeld has somebody write a customer, and tell of it, while the answer to
// our own write of it is still on its way: the older answer does not come back for hours.
func TestOwnWriteIsNotHeld(t *testing.T) {
	cases := []struct {
		reason string
		write  func(*testing.T, *billing.Client) error
	}{
		{"the end of all tokens", func(t *testing.T, c *billing.Client) error {
			_, err := c.RaiseTokenEpoch(within(t), "ada", "key")
			return err
		}},
		{"a sign-in with a new address", func(t *testing.T, c *billing.Client) error {
			_, err := c.SignUp(within(t), model.Identity{Login: "ada", Email: "ada@example.com"})
			return err
		}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			road := newDelayed(t, http.MethodPost)
			client := w.started(t, func(o *billing.Options) { o.HTTP = road })
			account := signUp(t, client, "ada")
			role := func(role string) {
				t.Helper()
				w.call(t, "POST", "/v1/customers/"+account.CustomerID, form("metadata[drydock.role]", role))
				if err := client.CatchUp(within(t)); err != nil {
					t.Fatal(err)
				}
			}
			role("admin")
			back, wrote := make(chan struct{}), make(chan error, 1)
			road.back.Store(&back)
			go func() { wrote <- c.write(t, client) }()
			<-road.arrived
			role("")
			close(back)
			if err := <-wrote; err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(5 * time.Hour)
			now, err := client.Account(within(t), "ada")
			if err != nil || now.Role != model.RoleUser {
				t.Errorf("hours after the role was taken away: %+v, %v", now, err)
			}
		})
	}
}

// TestRenamed gives a customer another login at Stripe, before any event of it is heard:
// the customer keeps being the account, and no second one is made.
func TestRenamed(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	c := w.started(t)
	account := signUp(t, c, "ada")
	if _, err := c.Account(within(t), "ada"); err != nil {
		t.Fatal(err)
	}
	w.call(t, "POST", "/v1/customers/"+account.CustomerID, form("metadata[drydock.login]", "grace"))
	w.clock.Advance(time.Minute)
	if now := signUp(t, c, "grace"); now.CustomerID != account.CustomerID {
		t.Errorf("the account is %s, want %s", now.CustomerID, account.CustomerID)
	}
	if _, err := c.Account(within(t), "ada"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the old login: %v", err)
	}
}

// TestMeterless reports builds while no meter takes them: the account is not looked up
// anew each time.
func TestMeterless(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	c := w.started(t)
	signUp(t, c, "ada")
	meter := w.call(t, "GET", "/v1/billing/meters", nil)["data"].([]any)[0].(map[string]any)["id"].(string)
	w.call(t, "POST", "/v1/billing/meters/"+meter+"/deactivate", nil)
	if _, err := c.Account(within(t), "ada"); err != nil {
		t.Fatal(err)
	}
	w.stripe.ResetRequests()
	for range 3 {
		report := model.UsageReport{Login: "ada", BuildUID: "uid", Seconds: 5, FinishedAt: noon}
		if err := c.ReportUsage(within(t), report); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("got %v", err)
		}
	}
	if diff := cmp.Diff(map[string]int{"POST /v1/billing/meter_events": 3}, w.stripe.Requests()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRoleEndsInAnOutage takes rights away at Stripe, just before it fails: once that is
// heard nobody has them any more.
func TestRoleEndsInAnOutage(t *testing.T) {
	cases := []struct{ reason, key, before, after string }{
		{"the role", "metadata[drydock.role]", "admin", ""},
		{"the tokens", "metadata[drydock.token_epoch]", "1", "2"},
		{"tokens that were counted for the first time", "metadata[drydock.token_epoch]", "", "1"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			client := w.started(t)
			account := signUp(t, client, "ada")
			for _, value := range []string{c.before, c.after} {
				w.clock.Advance(time.Minute)
				w.call(t, "POST", "/v1/customers/"+account.CustomerID, form(c.key, value))
				if err := client.CatchUp(within(t)); err != nil {
					t.Fatal(err)
				}
				if value == c.after {
					w.stripe.Inject(billingtest.Fault{Match: "GET /v1/customers/{id}", Times: -1, Status: 503})
				}
				if now, err := client.Account(within(t), "ada"); (err == nil) != (value == c.before) {
					t.Errorf("with %q: %+v, %v", value, now, err)
				}
			}
		})
	}
}
