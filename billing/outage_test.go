package billing_test

import (
	"slices"
	"testing"
	"time"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestOutage takes Stripe away, with the settings of production. Once that is noticed
// reads and writes are answered within milliseconds and hardly anything is sent; when
// Stripe is back, the client finds out by itself, without anybody's request as a probe.
func TestOutage(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	road := newRoad(t)
	c := w.started(t, func(o *billing.Options) { *o = billing.Options{Key: o.Key, APIBase: o.APIBase, Now: o.Now, HTTP: road} })
	signUp(t, c, "ada")
	known(t, w, c)

	road.refused.Store(-1)
	road.connection.CloseIdleConnections()
	c.HearAll()
	account := operation{run: readAccount("ada")}
	usage := operation{run: readUsage}
	create := operation{run: operations[slices.IndexFunc(operations, func(o operation) bool { return o.name == "SignUp" })].run}
	// What is asked first finds out.
	until(t, "Stripe is taken to be down", func() bool {
		_, requests := outcome(within(t), c, create)
		return requests == 0
	})
	var took []time.Duration
	sent := 0
	for n := range 300 {
		c.HearAll() // nothing is fresh any more
		for _, ask := range []struct {
			operation
			want string
		}{{account, "stale"}, {usage, "stale"}, {create, string(fault.Unavailable)}} {
			start := time.Now()
			got, requests := outcome(within(t), c, ask.operation)
			took = append(took, time.Since(start))
			sent += requests
			if got != ask.want {
				t.Fatalf("round %d: got %s, want %s", n, got, ask.want)
			}
		}
	}
	slices.Sort(took)
	t.Logf("answers took %v at the 99th percentile, %v at most", took[len(took)*99/100], took[len(took)-1])
	if sent > 0 {
		t.Errorf("%d requests of people's went out to a Stripe that is down", sent)
	}
	if err := c.Ready(); err != nil {
		t.Errorf("a replica that knows what it needs stays ready: %v", err)
	}

	road.refused.Store(0)
	until(t, "somebody can sign up again", func() bool {
		_, err := c.SignUp(within(t), model.Identity{Login: "new"})
		return err == nil
	})
	until(t, "after the outage an account is as it is", func() bool {
		w.clock.Advance(10 * time.Second)
		got, _ := outcome(within(t), c, account)
		return got == "value"
	})
	if n := len(w.stripe.Customers("new")); n != 1 {
		t.Errorf("%d customers of the login, want one", n)
	}
}

// TestStartInOutage starts a client while Stripe is away: it is ready soon after Stripe is
// back, with nobody's request as a probe.
func TestStartInOutage(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	road := newRoad(t)
	road.refused.Store(-1)
	c := w.client(t, func(o *billing.Options) { *o = billing.Options{Key: o.Key, APIBase: o.APIBase, Now: o.Now, HTTP: road} })
	started := make(chan error, 1)
	go func() { started <- c.Start(within(t)) }()
	until(t, "Stripe is taken to be down", func() bool {
		_, requests := outcome(within(t), c, operation{run: readAccount("ada")})
		return requests == 0
	})
	if c.Ready() == nil {
		t.Error("ready without anything known")
	}
	road.refused.Store(0)
	if err := <-started; err != nil {
		t.Errorf("Stripe came back: %v", err)
	}
	if err := c.Ready(); err != nil {
		t.Error(err)
	}
}
