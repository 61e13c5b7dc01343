package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/client"
)

// TestStripeDown takes Stripe away under a gateway: what it knows it shows, and says how old it is; what it would have
// to ask for is UNAVAILABLE, at once; and when Stripe is back, so is everything that changed meanwhile.
func TestStripeDown(t *testing.T) {
	g := gateway(t, catchUp)
	house.Stripe.Tell(g)
	t.Cleanup(house.Stripe.Untell)
	ada := signIn(t, g.URL, "ada")
	const query = `{ viewer { email login } }`
	eventually(t, func() error { return house.Stripe.Told(t.Context()) }) // the sign-up's events are through
	ada.answer(query)
	house.Stripe.Down()
	t.Cleanup(house.Stripe.Up)

	seen := ada.answer(query)
	if seen.Errors != nil || seen.Extensions.Stale != nil {
		t.Errorf("what is held and did not change is no less true now: %+v", seen)
	}
	ada.setEmail("ada@example.com") // by the dashboard; its webhook arrives
	eventually(t, func() error {
		if seen = ada.answer(query); len(seen.Extensions.Stale) == 0 {
			return fmt.Errorf("what changed, and cannot be read, is not told to be stale: %+v", seen)
		}
		return nil
	})
	if seen.Errors != nil || seen.Data.Viewer.Login != ada.login || seen.Data.Viewer.Email != nil {
		t.Errorf("the last known account: %+v", seen)
	}
	if path := fmt.Sprint(seen.Extensions.Stale[0].Path); path != "[viewer]" {
		t.Errorf("%s is told to be stale, want [viewer]", path)
	}

	began := time.Now()
	refused := ada.answer(`mutation { createPortalSession(input: {}) { url } }`)
	t.Logf("a write was refused after %s, by a gateway that knows Stripe to be away", time.Since(began))
	if len(refused.Errors) != 1 || refused.Errors[0].Extensions.Code != "UNAVAILABLE" {
		t.Errorf("a write gave %+v, want UNAVAILABLE", refused)
	}

	house.Stripe.Up()
	eventually(t, func() error {
		if seen = ada.answer(query); seen.Data.Viewer.Email == nil || seen.Extensions.Stale != nil {
			return fmt.Errorf("Stripe is back: %+v", seen)
		}
		return nil
	})
}

// response is a whole GraphQL response.
type response struct {
	Data struct {
		Viewer struct {
			Login string
			Email *string
		}
	}
	Errors []struct {
		Message    string
		Extensions struct{ Code string }
	}
	Extensions struct {
		Stale []struct {
			Path       []any
			AgeSeconds int
		}
	}
}

// answer runs an operation, whatever comes of it.
func (a *actor) answer(query string) (whole response) {
	a.t.Helper()
	body, err := json.Marshal(client.Request{Query: query})
	if err != nil {
		a.t.Fatal(err)
	}
	got, err := a.Send(within(a.t, patience), http.MethodPost, "/graphql", "application/json", body)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := json.Unmarshal(got.Body, &whole); err != nil {
		a.t.Fatalf("%v: %s", err, got.Body)
	}
	return whole
}

// setEmail changes the actor's e-mail in Stripe, as its dashboard does.
func (a *actor) setEmail(email string) {
	a.t.Helper()
	ctx := within(a.t, patience)
	customers, err := house.Stripe.Customers(ctx, a.login)
	if err == nil && len(customers) == 1 {
		err = house.Stripe.Call(ctx, http.MethodPost, "/v1/customers/"+customers[0], url.Values{"email": {email}}, &struct{}{})
	}
	if err != nil || len(customers) != 1 {
		a.t.Fatalf("customers %v: %v", customers, err)
	}
}
