package resolvers_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"

	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/graph/model"
)

// signUp makes an account whose login begins as said; the control plane is shared,
// so that no login comes twice.
func (h *house) signUp(name string) (login string) {
	h.t.Helper()
	login = name + "-" + strings.ToLower(rand.Text()[:8])
	if _, err := h.billing.SignUp(h.t.Context(), model.Identity{Login: login, Email: login + "@example.com"}); err != nil {
		h.t.Fatal(err)
	}
	return login
}

// signUpAdmin makes an administrator, as an operator does it: by the customer's
// metadata in Stripe, here before this replica reads the account for the first time.
func (h *house) signUpAdmin(name string) (login string) {
	h.t.Helper()
	login = name + "-" + strings.ToLower(rand.Text()[:8])
	form := url.Values{"metadata[drydock.login]": {login}, "metadata[drydock.role]": {"admin"}}
	request, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.stripeURL+"/v1/customers", strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "Bearer "+stripeKey)
	request.Header.Set(billingtest.Aside, "true")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		h.t.Fatalf("an administrator in Stripe: %s, %v", response.Status, err)
	}
	return login
}
