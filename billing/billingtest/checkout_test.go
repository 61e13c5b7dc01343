package billingtest_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing/billingtest"
)

// opened is a page as a browser without redirects sees it.
type opened struct {
	status   int
	text     string
	location string
}

// browse opens a page, or submits its form where fields are given.
func (o *operator) browse(page string, fields ...string) opened {
	o.t.Helper()
	method, form := http.MethodGet, url.Values{}
	for i := 0; i < len(fields); i += 2 {
		method = http.MethodPost
		form.Set(fields[i], fields[i+1])
	}
	request, err := http.NewRequestWithContext(o.t.Context(), method, page, strings.NewReader(form.Encode()))
	if err != nil {
		o.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return opened{response.StatusCode, string(text), response.Header.Get("Location")}
}

// prices are a seeded plan's, the licensed one first.
func (o *operator) prices(product string) (licensed, metered string) {
	o.t.Helper()
	licensed = o.must("GET", "/v1/prices", "product", product, "recurring[usage_type]", "licensed").data()[0]["id"].(string)
	metered = o.must("GET", "/v1/prices", "product", product, "recurring[usage_type]", "metered").data()[0]["id"].(string)
	return licensed, metered
}

// sell opens a session for the plan Team.
func (o *operator) sell(customer string, more ...string) reply {
	o.t.Helper()
	licensed, metered := o.prices("prod_drydock_team")
	return o.must("POST", "/v1/checkout/sessions", append([]string{
		"mode", "subscription", "customer", customer, "line_items[0][price]", licensed, "line_items[0][quantity]", "1",
		"line_items[1][price]", metered, "success_url", "http://app.example/?checkout=success&session={CHECKOUT_SESSION_ID}",
		"cancel_url", "http://app.example/?checkout=cancelled",
	}, more...)...)
}

// TestCheckout walks through the page in every way that it can end.
func TestCheckout(t *testing.T) {
	const team = "prod_drydock_team"
	cases := []struct {
		reason string
		more   []string
		submit []string
		status int
		says   string
		// location is where the browser goes; session stands for the session's id.
		location     string
		sessionState string
		// subscription is its status; empty: none.
		subscription string
		events       []string
	}{
		{
			reason: "paid", submit: []string{"action", "pay", "card", "works"}, status: 303,
			location:     "http://app.example/?checkout=success&session=SESSION",
			sessionState: "complete paid", subscription: "active",
			events: []string{"customer.subscription.created", "checkout.session.completed"},
		},
		{
			reason: "cancelled: the session stays open", submit: []string{"action", "cancel"}, status: 303,
			location: "http://app.example/?checkout=cancelled", sessionState: "open unpaid", events: []string{},
		},
		{
			reason: "declined: the page says so, and the session stays open", submit: []string{"action", "pay", "card", "declined"},
			status: 402, says: "declined", sessionState: "open unpaid", events: []string{},
		},
		{
			reason: "neither", submit: []string{"action", "dance"}, status: 400, says: "Pay or cancel", sessionState: "open unpaid", events: []string{},
		},
		{
			reason: "a trial", more: []string{"subscription_data[trial_period_days]", "14", "payment_method_collection", "always"},
			submit: []string{"action", "pay", "card", "works"}, status: 303, location: "http://app.example/?checkout=success&session=SESSION",
			sessionState: "complete no_payment_required", subscription: "trialing",
			events: []string{"customer.subscription.created", "checkout.session.completed"},
		},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			o := newOperator(t, billingtest.Options{})
			customer := o.must("POST", "/v1/customers", "email", "ada@example.com").id()
			session := o.sell(customer, append(c.more, "subscription_data[metadata][drydock.replaces]", "none", "client_reference_id", "ada",
				"metadata[k]", "v", "allow_promotion_codes", "true")...)
			page := session.object["url"].(string)
			newest := o.must("GET", "/v1/events").data()[0]["id"].(string)
			if got := o.browse(page); got.status != 200 || !strings.Contains(got.text, "Subscribe to Team") || !strings.Contains(got.text, "ada@example.com") {
				t.Fatalf("the page: %+v", got)
			}
			got := o.browse(page, c.submit...)
			if want := strings.ReplaceAll(c.location, "SESSION", session.id()); got.status != c.status || got.location != want || !strings.Contains(got.text, c.says) {
				t.Errorf("submitted: %+v", got)
			}
			after := o.must("GET", "/v1/checkout/sessions/"+session.id(), "expand[]", "line_items", "expand[]", "subscription")
			if state := after.object["status"].(string) + " " + after.object["payment_status"].(string); state != c.sessionState {
				t.Errorf("the session is %s", state)
			}
			if diff := cmp.Diff(c.events, o.events("ending_before", newest)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			status, products := "", []any{}
			if subscription, ok := after.object["subscription"].(object); ok {
				status = subscription["status"].(string)
				for _, item := range subscription["items"].(object)["data"].([]any) {
					products = append(products, item.(object)["price"].(object)["product"])
				}
				if subscription["customer"] != customer || subscription["metadata"].(object)["drydock.replaces"] != "none" || !cmp.Equal(products, []any{team, team}) {
					t.Errorf("subscribed: %v", subscription)
				}
				if again := o.browse(page, c.submit...); again.status != http.StatusGone {
					t.Errorf("paid a second time: %+v", again)
				}
			}
			if status != c.subscription {
				t.Errorf("the subscription is %q, want %q", status, c.subscription)
			}
		})
	}
}

// TestCheckoutRefusals tells what a session cannot be made of.
func TestCheckoutRefusals(t *testing.T) {
	o := newOperator(t, billingtest.Options{})
	licensed, metered := o.prices("prod_drydock_team")
	whole := map[string]string{
		"mode": "subscription", "line_items[0][price]": licensed, "line_items[0][quantity]": "1", "success_url": "http://app.example/",
	}
	cases := []struct {
		reason string
		change map[string]string
		code   string
		says   string
	}{
		{"a price that is counted without its quantity", map[string]string{"line_items[0][quantity]": ""}, "", "Quantity is required"},
		{"a quantity of what is metered", map[string]string{"line_items[0][price]": metered}, "", "Quantity should not"},
		{"nothing to buy", map[string]string{"line_items[0][price]": "", "line_items[0][quantity]": ""}, "parameter_missing", "line_items"},
		{"an unknown price", map[string]string{"line_items[0][price]": "price_none"}, "resource_missing", "price_none"},
		{"nobody", map[string]string{"customer": "cus_none"}, "resource_missing", "cus_none"},
		{"no way back", map[string]string{"success_url": ""}, "parameter_missing", "success_url"},
		{"a way to nowhere", map[string]string{"success_url": "/done"}, "url_invalid", "Not a valid URL"},
		{"no mode", map[string]string{"mode": ""}, "parameter_missing", "mode"},
		{"a trial of no days", map[string]string{"subscription_data[trial_period_days]": "0"}, "", "minimum number of trial"},
		{"an end too soon", map[string]string{"expires_at": "1"}, "", "at least 30 minutes"},
		{"an unknown parameter", map[string]string{"line_items[0][colour]": "red"}, "parameter_unknown", "colour"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			form := []string{}
			for name, value := range whole {
				if _, ok := c.change[name]; !ok {
					form = append(form, name, value)
				}
			}
			for name, value := range c.change {
				if value != "" {
					form = append(form, name, value)
				}
			}
			got := o.do("POST", "/v1/checkout/sessions", form...)
			inner, _ := got.object["error"].(object)
			says, _ := inner["message"].(string)
			if got.status != 400 || got.code() != c.code || !strings.Contains(says, c.says) {
				t.Errorf("got %d %v", got.status, got.object)
			}
		})
	}
}

// TestCheckoutExpires ends sessions by their time and by request.
func TestCheckoutExpires(t *testing.T) {
	o := newOperator(t, billingtest.Options{})
	customer := o.must("POST", "/v1/customers").id()
	late := o.sell(customer)
	o.must("POST", "/v1/checkout/sessions/"+o.sell(customer).id()+"/expire")
	o.advance(24 * time.Hour)
	o.stripe.RollOver()
	if got := o.must("GET", "/v1/checkout/sessions/"+late.id()).object; got["status"] != "expired" || got["url"] != nil {
		t.Errorf("a day later: %v", got)
	}
	if n := len(o.events("type", "checkout.session.expired")); n != 2 {
		t.Errorf("%d sessions told that they expired", n)
	}
	if got := o.browse(late.object["url"].(string), "action", "pay", "card", "works"); got.status != http.StatusGone || !strings.Contains(got.text, "expired") {
		t.Errorf("paid too late: %+v", got)
	}
	if got := o.do("POST", "/v1/checkout/sessions/"+late.id()+"/expire"); got.status != 400 {
		t.Errorf("expired twice: %d", got.status)
	}
}

// TestPortal does everything that its page offers.
func TestPortal(t *testing.T) {
	o := newOperator(t, billingtest.Options{})
	customer := o.must("POST", "/v1/customers").id()
	other := o.must("POST", "/v1/customers").id()
	o.browse(o.sell(customer).object["url"].(string), "action", "pay", "card", "fails_later")
	held := func() object {
		return o.must("GET", "/v1/subscriptions", "customer", customer, "status", "all").data()[0]
	}
	subscription := held()["id"].(string)
	portal := o.must("POST", "/v1/billing_portal/sessions", "customer", customer, "return_url", "http://app.example/plan").object["url"].(string)
	foreign := o.must("POST", "/v1/billing_portal/sessions", "customer", other).object["url"].(string)

	steps := []struct {
		reason string
		do     func() error
		shows  string
		status string
		ends   bool
	}{
		{"at first", func() error { return nil }, "Status: active. Renews on 15 June 2024", "active", false},
		{"cancelled at the period's end", o.submit(portal, subscription, "cancel"), "Ends on 15 June 2024", "active", true},
		{"resumed", o.submit(portal, subscription, "resume"), "Renews on", "active", false},
		{"a payment that fails, as the card was to", func() error { o.advance(31 * 24 * time.Hour); return nil }, "", "past_due", false},
		{"a portal that was left open too long", func() error {
			if o.submit(portal, subscription, "card")() == nil {
				return errors.New("still open")
			}
			portal = o.must("POST", "/v1/billing_portal/sessions", "customer", customer, "return_url", "http://app.example/plan").object["url"].(string)
			return nil
		}, "Status: past due", "past_due", false},
		{"another card", func() error { return o.submit(portal, subscription, "card")() }, "Status: active", "active", false},
		{"the card works from then on", func() error { o.advance(30 * 24 * time.Hour); return nil }, "", "active", false},
		{"a stranger's portal", func() error {
			foreign = o.must("POST", "/v1/billing_portal/sessions", "customer", other).object["url"].(string)
			if o.submit(foreign, subscription, "cancel")() == nil {
				return errors.New("cancelled by a stranger")
			}
			return nil
		}, "", "active", false},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Errorf("%s: %v", s.reason, err)
		}
		if page := o.browse(portal); s.shows != "" && (!strings.Contains(page.text, s.shows) || !strings.Contains(page.text, `href="http://app.example/plan"`)) {
			t.Errorf("%s: the page does not say %q: %s", s.reason, s.shows, page.text)
		}
		if got := held(); got["status"] != s.status || got["cancel_at_period_end"] != s.ends {
			t.Errorf("%s: %v, cancelled at the period's end %v", s.reason, got["status"], got["cancel_at_period_end"])
		}
	}
}

// submit presses a button of the portal.
func (o *operator) submit(portal, subscription, action string) func() error {
	return func() error {
		o.t.Helper()
		if got := o.browse(portal, "subscription", subscription, "action", action); got.status != http.StatusSeeOther || got.location != portal {
			return errors.New(http.StatusText(got.status))
		}
		return nil
	}
}
