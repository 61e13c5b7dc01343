package resolvers_test

import (
	"crypto/rand"
	"net/url"
	"strings"

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
	h.change("/v1/customers", url.Values{"metadata[drydock.login]": {login}, "metadata[drydock.role]": {"admin"}})
	return login
}
