package resolvers_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// press sends the form of a page at Stripe, and gives where that leads; without fields
// it opens the page, and gives its text.
func (h *house) press(page string, fields url.Values) string {
	h.t.Helper()
	method := http.MethodGet
	if fields != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(h.t.Context(), method, page, strings.NewReader(fields.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if fields == nil {
		return string(text)
	}
	return response.Header.Get("Location")
}

// subscriptionField is where the portal's page names the subscription.
var subscriptionField = regexp.MustCompile(`name="subscription" value="([^"]+)"`)

// TestCheckout buys a plan and cancels it, as the pages at Stripe have it.
func TestCheckout(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	team := model.EncodeID(model.KindPlan, "prod_drydock_team")
	open := func(query string, input map[string]any) string {
		t.Helper()
		var payload map[string]struct{ URL string }
		h.as(ada).must(query, variables{"input": input}, &payload)
		for _, opened := range payload {
			return opened.URL
		}
		return ""
	}
	type standing struct {
		Plan         struct{ Name string }
		Subscription *struct {
			Status            string
			CancelAtPeriodEnd bool
		}
	}
	now := func() (s standing) {
		t.Helper()
		if err := h.billing.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		var data struct{ Viewer standing }
		h.as(ada).must(`{ viewer { plan { name } subscription { status cancelAtPeriodEnd } } }`, nil, &data)
		return data.Viewer
	}

	page := open(checkout, map[string]any{"plan": team})
	if at := h.press(page, url.Values{"action": {"cancel"}}); at != planURL+"?checkout=cancelled" {
		t.Errorf("left, the browser is at %s", at)
	}
	if at := h.press(page, url.Values{"action": {"pay"}, "card": {"works"}}); at != planURL+"?checkout=success" {
		t.Errorf("paid, the browser is at %s", at)
	}
	bought := standing{Plan: struct{ Name string }{"Team"}, Subscription: &struct {
		Status            string
		CancelAtPeriodEnd bool
	}{"ACTIVE", false}}
	if diff := cmp.Diff(bought, now()); diff != "" {
		t.Errorf("paid (-want +got):\n%s", diff)
	}
	if got := h.as(ada).ask(checkout, variables{"input": map[string]any{"plan": team}}); !slices.Equal(got.Codes, []string{string(fault.Conflict)}) {
		t.Errorf("bought again: %+v", got)
	}

	settings := open(portal, map[string]any{})
	found := subscriptionField.FindStringSubmatch(h.press(settings, nil))
	if found == nil {
		t.Fatal("the portal shows no subscription")
	}
	h.press(settings, url.Values{"action": {"cancel"}, "subscription": {found[1]}})
	bought.Subscription.CancelAtPeriodEnd = true
	if diff := cmp.Diff(bought, now()); diff != "" {
		t.Errorf("cancelled (-want +got):\n%s", diff)
	}
}
