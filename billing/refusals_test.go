package billing_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
)

// TestRefusedEvents tells a key that lacks a permission from one that is not valid.
func TestRefusedEvents(t *testing.T) {
	cases := []struct {
		reason   string
		status   int
		fails    bool
		problems int
	}{
		{"without the permission everything is read anew, and an operator is told", 403, false, 1},
		{"a key that is not valid is a failure", 401, true, 0},
	}
	for _, tc := range cases {
		t.Run(tc.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			c := w.started(t, unhurried)
			w.stripe.Inject(billingtest.Fault{Match: "GET /v1/events", Times: -1, Status: tc.status})
			if err := c.CatchUp(within(t)); (err != nil) != tc.fails || err != nil && fault.KindOf(err) != fault.Internal {
				t.Errorf("got %v", err)
			}
			if problems := c.Details()["problems"].([]string); len(problems) != tc.problems {
				t.Errorf("problems %q, want %d", problems, tc.problems)
			}
			w.stripe.ClearFaults()
			if err := c.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			if problems := c.Details()["problems"].([]string); len(problems) != 0 {
				t.Errorf("set right, but there is still %q", problems)
			}
		})
	}
}

// TestRefusedCustomers: a key that may not list customers is an operator's to set right,
// and not asked with again and again.
func TestRefusedCustomers(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	w.stripe.Inject(billingtest.Fault{Match: "GET /v1/customers", Times: -1, Status: 403})
	c := w.client(t, unhurried)
	if err := c.Start(within(t)); err != nil {
		t.Fatal(err)
	}
	until(t, "an operator is told", func() bool { return len(c.Details()["problems"].([]string)) == 1 })
	if got := w.stripe.Requests()["GET /v1/customers"]; got != 1 {
		t.Errorf("asked %d times, want once", got)
	}
}

// TestProblemSetRight: a number that is set right is no problem once the change is heard,
// whether or not somebody reads the customer.
func TestProblemSetRight(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	account := signUp(t, w.client(t), "ada")
	c := w.started(t, unhurried)
	set := func(number string, want []string) {
		t.Helper()
		w.call(t, "POST", "/v1/customers/"+account.CustomerID, form("metadata[drydock.github_id]", number))
		if err := c.CatchUp(within(t)); err != nil {
			t.Fatal(err)
		}
		if want != nil {
			if _, err := c.Account(within(t), "ada"); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(append([]string{}, want...), c.Details()["problems"]); diff != "" {
			t.Errorf("number %q (-want +got):\n%s", number, diff)
		}
	}
	set("seven", []string{"customer " + account.CustomerID + ": metadata drydock.github_id is not a number"})
	set("7", nil)
}
