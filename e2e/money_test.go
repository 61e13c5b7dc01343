package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/browser"
	"drydock.dev/drydock/e2e/client"
)

// TestMoney clicks through all that concerns money, in a real browser: a plan is bought, changed, cancelled, kept, not
// paid for. What the account shows is followed by an open subscription.
func TestMoney(t *testing.T) {
	g := gateway(t, "--catch-up-every=1h")
	house.Stripe.Tell(g)
	t.Cleanup(house.Stripe.Untell)
	ada := signIn(t, g.URL, "ada")
	money := ada.followMoney()
	money.await("Free", "", false)
	e := visit(t, g.URL)

	e.goTo(ada.checkout("Team"))
	e.do("change one's mind", browser.Click("button[value=cancel]"))
	e.backAt(g.URL + "/plan?checkout=cancelled")
	e.goTo(ada.checkout("Team"))
	e.do("pay with a card that is declined", browser.Click("input[value=declined]"), browser.Click("button[value=pay]"), browser.Visible("[role=alert]"))
	e.do("pay", browser.Click("input[value=works]"), browser.Click("button[value=pay]"))
	e.backAt(g.URL + "/plan?checkout=success")
	money.await("Team", "ACTIVE", false)
	if err := ada.tryCheckout("Team", nil); err == nil || !strings.Contains(err.Error(), "CONFLICT") {
		t.Errorf("to buy what one has gives %v, want CONFLICT", err)
	}

	e.goTo(ada.checkout("Scale"))
	e.do("pay for more", browser.Click("button[value=pay]"))
	e.backAt(g.URL + "/plan?checkout=success")
	money.await("Scale", "ACTIVE", false)
	eventually(t, func() error { return ada.oneSubscription(t.Context()) })

	e.goTo(ada.portal())
	e.do("cancel", browser.Click("button[value=cancel]"), browser.Visible("button[value=resume]"))
	money.await("Scale", "ACTIVE", true)
	e.do("resume", browser.Click("button[value=resume]"), browser.Visible("button[value=cancel]"))
	money.await("Scale", "ACTIVE", false)
	e.do("let a payment fail", browser.Click("button[value=fail]"))
	money.await("Scale", "PAST_DUE", false)

	ada.buildsHeld()
	e.do("pay by another card", browser.Click("button[value=card]"))
	money.await("Scale", "ACTIVE", false)
	e.do("come back", browser.Click("main a"))
	e.backAt(g.URL + "/plan")
}

// buildsHeld starts a build in arrears: a controller whose period of grace is over fails it, and says why.
func (a *actor) buildsHeld() {
	a.t.Helper()
	c, err := house.Controller(within(a.t, patience), "--grace-period=1s")
	if err != nil {
		a.t.Fatal(err)
	}
	defer end(a.t, c)
	gate := newGate(a.t, "arrears")
	gate.open()
	started := a.startBuild(a.createImage("arrears", gate.Repository, gate.Argument))
	var failed build
	eventually(a.t, func() error {
		all, err := a.builds(a.t.Context())
		for _, b := range all {
			if b.ID == started.ID && b.done() {
				failed = b
				return nil
			}
		}
		return fmt.Errorf("it has not ended: %v (%w)", all, err)
	})
	if failed.Reason == nil || *failed.Reason != "QuotaExceeded" || failed.Message == nil || !strings.Contains(*failed.Message, "payment") {
		a.t.Errorf("a build in arrears: %v, want QuotaExceeded and a word of the payment", failed)
	}
}

// goTo opens a page of Stripe's.
func (v *visitor) goTo(url string) {
	v.t.Helper()
	v.do("open "+url, browser.Open(url), browser.Visible("h1"))
}

// backAt waits until the browser is at Drydock again.
func (v *visitor) backAt(url string) {
	v.t.Helper()
	eventually(v.t, func() error {
		at, err := v.Location(v.t.Context())
		if err == nil && at != url {
			err = fmt.Errorf("the browser is at %s, want %s", at, url)
		}
		return err
	})
}

// checkout is a page to buy a plan on.
func (a *actor) checkout(plan string) (page string) {
	a.t.Helper()
	if err := a.tryCheckout(plan, &page); err != nil {
		a.t.Fatal(err)
	}
	return page
}

func (a *actor) tryCheckout(plan string, page *string) error {
	a.t.Helper()
	var offer struct{ Plans []struct{ ID, Name string } }
	a.do(`{ plans { id name } }`, nil, &offer)
	for _, p := range offer.Plans {
		if p.Name != plan {
			continue
		}
		var data struct{ CreateCheckoutSession struct{ URL string } }
		err := a.Do(within(a.t, patience), client.Request{
			Query:     `mutation($plan: ID!) { createCheckoutSession(input: {plan: $plan}) { url } }`,
			Variables: map[string]any{"plan": p.ID},
		}, &data)
		if page != nil {
			*page = data.CreateCheckoutSession.URL
		}
		return err
	}
	return fmt.Errorf("there is no plan %q", plan)
}

// portal is the page of the actor's subscription.
func (a *actor) portal() string {
	a.t.Helper()
	var data struct{ CreatePortalSession struct{ URL string } }
	a.do(`mutation { createPortalSession(input: {}) { url } }`, nil, &data)
	return data.CreatePortalSession.URL
}

// moneyStream is what an account's subscription tells of its plan.
type moneyStream struct {
	t      *testing.T
	stream client.Stream
}

func (a *actor) followMoney() *moneyStream {
	a.t.Helper()
	stream, err := a.WebSocket(within(a.t, patience), client.Request{
		Query: `subscription { viewerChanged { plan { name } subscription { status cancelAtPeriodEnd } } }`,
	})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = stream.Close() })
	return &moneyStream{a.t, stream}
}

// await reads until the account is as it should be; status is empty without a subscription.
func (m *moneyStream) await(plan, status string, ends bool) {
	m.t.Helper()
	var seen []string
	want := fmt.Sprintf("%s %s %t", plan, status, ends)
	for {
		var data struct {
			ViewerChanged struct {
				Plan         struct{ Name string }
				Subscription *struct {
					Status            string
					CancelAtPeriodEnd bool
				}
			}
		}
		if err := m.stream.Next(&data); err != nil {
			m.t.Fatalf("%v; want %q, saw %q", err, want, seen)
		}
		now := fmt.Sprintf("%s  %t", data.ViewerChanged.Plan.Name, false)
		if s := data.ViewerChanged.Subscription; s != nil {
			now = fmt.Sprintf("%s %s %t", data.ViewerChanged.Plan.Name, s.Status, s.CancelAtPeriodEnd)
		}
		if now == want {
			return
		}
		seen = append(seen, now)
	}
}

// oneSubscription holds that a plan that was changed left nothing behind that is paid for.
func (a *actor) oneSubscription(ctx context.Context) error {
	customers, err := house.Stripe.Customers(ctx, a.login)
	if err != nil || len(customers) != 1 {
		return fmt.Errorf("customers %v: %w", customers, err)
	}
	var page struct{ Data []struct{ ID, Status string } }
	err = house.Stripe.Call(ctx, http.MethodGet, "/v1/subscriptions", url.Values{"customer": {customers[0]}}, &page)
	if err == nil && len(page.Data) != 1 {
		err = fmt.Errorf("subscriptions in force: %+v, want one", page.Data)
	}
	return err
}
