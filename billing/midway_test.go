package billing_test

import (
	"context"
	"errors"
	"testing"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/graph/model"
)

// TestFailedMidway has requests fail midway, which Stripe remembers by their idempotency
// keys for a day: what is asked comes about all the same, and once.
func TestFailedMidway(t *testing.T) {
	signUp := func(ctx context.Context, c *billing.Client) error {
		_, err := c.SignUp(ctx, model.Identity{Login: "grace"})
		return err
	}
	graces := func(w *world) int { return len(w.stripe.Customers("grace")) }
	cases := []struct {
		reason  string
		request string
		effect  bool
		run     func(context.Context, *billing.Client) error
		done    func(*world) int
	}{
		{"a sign-up that left nothing", "POST /v1/customers", false, signUp, graces},
		{"a sign-up that left its customer", "POST /v1/customers", true, signUp, graces},
		{"a purchase", "POST /v1/checkout/sessions", false, func(ctx context.Context, c *billing.Client) error {
			_, err := c.Checkout(ctx, "ada", team, home, "key")
			return err
		}, nil},
		{"the end of all tokens", "POST /v1/customers/{id}", false, func(ctx context.Context, c *billing.Client) error {
			account, err := c.RaiseTokenEpoch(ctx, "ada", "key")
			if err == nil && account.TokenEpoch == 0 {
				return errors.New("no token ended")
			}
			return err
		}, nil},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			client := w.started(t)
			if _, err := client.SignUp(within(t), model.Identity{Login: "ada"}); err != nil {
				t.Fatal(err)
			}
			w.stripe.Inject(billingtest.Fault{Match: c.request, Status: 500, Kept: true, AfterEffect: c.effect})
			for range 2 {
				if err := c.run(within(t), client); err != nil {
					t.Error(err)
				}
			}
			if c.done != nil && c.done(w) != 1 {
				t.Errorf("it came about %d times", c.done(w))
			}
			// Another replica, which knows of nothing.
			if err := c.run(within(t), w.started(t)); err != nil {
				t.Error(err)
			}
			if c.done != nil && c.done(w) != 1 {
				t.Errorf("after another replica's try it came about %d times", c.done(w))
			}
		})
	}
}
