package billing_test

import (
	"context"
	"os"
	"testing"
	"time"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
)

func TestConform(t *testing.T) {
	w := newWorld(t, billingtest.Options{SearchLag: time.Minute})
	billingtest.Conform(t, w.started(t), time.Second)
}

// TestConformStripe runs the same against Stripe's test mode.
func TestConformStripe(t *testing.T) {
	key := os.Getenv("STRIPE_TEST_SECRET_KEY")
	if key == "" {
		t.Skip("STRIPE_TEST_SECRET_KEY is not set: it names a Stripe account in test mode with the meter drydock_build_seconds, a default plan and saved settings of the customer portal")
	}
	c, err := billing.New(billing.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Ready(); err != nil {
		t.Fatal(err)
	}
	billingtest.Conform(t, c, 3*time.Minute)
}
