package billing_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/staleness"
)

// TestWatchAccount tells who is woken by what, and that the channel ends with its context.
func TestWatchAccount(t *testing.T) {
	cases := []struct {
		reason string
		hear   func(c *billing.Client, ada string)
		wakes  bool
	}{
		{"a change of the customer", func(c *billing.Client, ada string) { c.Hear([]string{"customer:" + ada}) }, true},
		{"many changes are one token", func(c *billing.Client, ada string) {
			for range 100 {
				c.Hear([]string{"customer:" + ada})
			}
		}, true},
		{"a change of another one", func(c *billing.Client, _ string) { c.Hear([]string{"customer:cus_other"}) }, false},
		{"a plan concerns everybody", func(c *billing.Client, _ string) { c.Hear([]string{"product:prod_x"}) }, true},
		{"so does a price", func(c *billing.Client, _ string) { c.Hear([]string{"price:prod_x"}) }, true},
		{"and not to know what was missed", func(c *billing.Client, _ string) { c.HearAll() }, true},
		{"a build of it was billed", func(c *billing.Client, _ string) { c.ForgetUsage("ADA") }, true},
		{"one of another account was", func(c *billing.Client, _ string) { c.ForgetUsage("grace") }, false},
		{"the login's customer is gone", func(c *billing.Client, ada string) { c.Hear([]string{"gone:ada:" + ada}) }, true},
		{"the login is another customer's, and that one changes", func(c *billing.Client, ada string) {
			c.Hear([]string{"gone:ada:" + ada, "login:ada:cus_new:9"})
			c.Hear([]string{"customer:cus_new"})
		}, true},
	}
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	account := signUp(t, w.client(t), "ada")
	for _, tc := range cases {
		t.Run(tc.reason, func(t *testing.T) {
			c := w.started(t)
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			tokens, err := c.WatchAccount(ctx, "Ada")
			if err != nil {
				t.Fatal(err)
			}
			second, err := c.WatchAccount(within(t), "ada")
			if err != nil {
				t.Fatal(err)
			}
			for _, channel := range []<-chan struct{}{tokens, second} {
				if n := len(channel); n != 1 {
					t.Fatalf("%d tokens at once, want one", n)
				}
				<-channel
			}
			tc.hear(c, account.CustomerID)
			want := 0
			if tc.wakes {
				want = 1
			}
			if len(tokens) != want || len(second) != want {
				t.Errorf("%d and %d tokens, want %d each", len(tokens), len(second), want)
			}
			cancel()
			until(t, "the channel is closed", func() bool {
				select {
				case _, open := <-tokens:
					return !open
				default:
					return false
				}
			})
			c.HearAll() // The other one goes on.
			if len(second) != 1 {
				t.Error("the end of one ended the other")
			}
		})
	}
	c := w.started(t)
	for _, login := range []string{"nobody", "no'body"} {
		if _, err := c.WatchAccount(within(t), login); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: got %v", login, err)
		}
	}
}

// TestWatchAfterSlowness has Stripe answer too late for those who were woken: they are
// given what is held, and woken again when the answer is there.
func TestWatchAfterSlowness(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	account := signUp(t, w.client(t), "ada")
	road := newDelayed(t, http.MethodGet)
	c := w.started(t, func(o *billing.Options) { o.HTTP, o.Patience = road, 50*time.Millisecond })
	until(t, "the account is known", func() bool { return show(t, c, "ada").Plan == "Free" })
	tokens, err := c.WatchAccount(within(t), "ada")
	if err != nil {
		t.Fatal(err)
	}
	<-tokens
	w.call(t, "POST", "/v1/customers/"+account.CustomerID, form("email", "ada@example.com"))
	back := make(chan struct{})
	answer := sync.OnceFunc(func() { close(back) })
	defer answer()
	road.back.Store(&back)
	if err := c.CatchUp(within(t)); err != nil {
		t.Fatal(err)
	}
	<-tokens
	if got := show(t, c, "ada"); got.Email != "" {
		t.Fatalf("at first: %+v; the answer is held back", got)
	}
	answer()
	select {
	case <-tokens:
	case <-within(t).Done():
		t.Fatal("nobody told that the answer is there")
	}
	until(t, "the change is seen", func() bool { return show(t, c, "ada").Email != "" })
}

// TestWatchersEndUpToDate has many watchers read as soon as they are woken, from a Stripe
// whose answers take just about as long as they wait: none is left with an old value.
func TestWatchersEndUpToDate(t *testing.T) {
	const people, rounds = 40, 5
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	connection := &http.Transport{MaxIdleConnsPerHost: people}
	t.Cleanup(connection.CloseIdleConnections)
	for n := range people {
		w.add(t, fmt.Sprint("user-", n))
	}
	c := w.started(t, func(o *billing.Options) {
		o.HTTP, o.Patience = connection, 30*time.Millisecond
		o.Limits = billing.Limits{Total: 1e6, Endpoint: 1e6, Concurrency: people}
	})
	ctx, cancel := context.WithCancel(within(t))
	var reads [people]atomic.Int64 // how many there were, negative where the last one was old
	var watching sync.WaitGroup
	for n := range people {
		login := fmt.Sprint("user-", n)
		tokens, err := c.WatchAccount(ctx, login)
		if err != nil {
			t.Fatal(err)
		}
		watching.Go(func() {
			count := int64(0)
			for range tokens {
				count++
				old := false
				if _, err := c.Account(staleness.With(ctx, func(context.Context, time.Duration) { old = true }), login); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				if old {
					reads[n].Store(-count)
				} else {
					reads[n].Store(count)
				}
			}
		})
	}
	for range rounds {
		w.stripe.Inject(billingtest.Fault{Match: "GET /v1/customers/{id}", Times: -1, Latency: 32 * time.Millisecond})
		before := [people]int64{}
		for n := range reads {
			before[n] = max(reads[n].Load(), -reads[n].Load())
		}
		c.HearAll()
		until(t, "everybody sees the newest", func() bool {
			for n := range reads {
				if reads[n].Load() <= before[n] {
					return false
				}
			}
			return true
		})
		w.stripe.ClearFaults()
	}
	cancel()
	watching.Wait()
}
