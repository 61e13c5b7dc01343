package billing_test

import (
	"slices"
	"testing"
	"time"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
)

// TestReplicasKeepApart has all replicas hear of the same change at once, who would then
// read the same of Stripe: where that is more than Stripe takes at once, they do so at
// different times, all within a second.
func TestReplicasKeepApart(t *testing.T) {
	const seen = 20 // of the replicas
	cases := []struct {
		reason   string
		replicas int
		hear     func(*billing.Client)
		apart    bool
	}{
		{"a product", 50, func(c *billing.Client) { c.Hear([]string{"product:" + team}) }, true},
		{"a price", 50, func(c *billing.Client) { c.Hear([]string{"price:" + team}) }, true},
		{"notices were missed", 50, (*billing.Client).HearAll, true},
		{"many changes are one reload", 50, func(c *billing.Client) {
			for range 100 {
				c.Hear([]string{"product:" + team, "price:" + team, "product:" + scale})
			}
		}, true},
		{"a customer: each replica reads those that are asked for there", 50, func(c *billing.Client) { c.Hear([]string{"login:ada:cus_1:1"}) }, false},
		{"two replicas' bursts hold a request each", 2, func(c *billing.Client) { c.Hear([]string{"product:" + team}) }, false},
	}
	for _, tc := range cases {
		t.Run(tc.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			signUp(t, w.client(t), "ada")
			var replicas []*billing.Client
			var watching []<-chan struct{}
			for range seen {
				c := w.client(t)
				tokens, err := c.WatchAccount(within(t), "ada")
				if err != nil {
					t.Fatal(err)
				}
				<-tokens
				c.Share(tc.replicas)
				replicas, watching = append(replicas, c), append(watching, tokens)
			}
			start := time.Now()
			for _, c := range replicas {
				tc.hear(c)
			}
			if !tc.apart {
				for n, tokens := range watching {
					if len(tokens) != 1 {
						t.Errorf("replica %d was not woken at once", n)
					}
				}
				return
			}
			woken := make(chan time.Duration, seen)
			for _, tokens := range watching {
				go func() {
					<-tokens
					woken <- time.Since(start)
				}()
			}
			var times []time.Duration
			for range seen {
				times = append(times, <-woken)
			}
			apart := slices.Max(times) - slices.Min(times)
			t.Logf("the last one was woken after %v", slices.Max(times))
			if apart < 200*time.Millisecond {
				t.Errorf("the replicas are %v apart", apart)
			}
			for n, tokens := range watching {
				if len(tokens) > 0 {
					t.Errorf("replica %d was woken twice", n)
				}
			}
		})
	}
}

// TestKeptApart: a change that waited a moment is heeded.
func TestKeptApart(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	c := w.started(t)
	c.Share(50)
	w.call(t, "POST", "/v1/products/"+team, form("name", "Crew"))
	c.Hear([]string{"product:" + team})
	until(t, "the new name is seen", func() bool {
		plan, err := c.Plan(within(t), team)
		if err != nil {
			t.Fatal(err)
		}
		return plan.Name == "Crew"
	})
}
