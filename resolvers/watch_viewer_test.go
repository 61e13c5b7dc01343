package resolvers_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"drydock.dev/drydock/billing/billingtest"
)

// stripe makes a request of the test's own to the stand-in, as from Stripe's dashboard.
func (h *house) stripe(method, path, contentType, body string) {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), method, h.stripeURL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+stripeKey)
	request.Header.Set("Content-Type", contentType)
	request.Header.Set(billingtest.Aside, "true")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode >= 300 {
		h.t.Fatalf("%s %s: %s %s %v", method, path, response.Status, text, err)
	}
}

// change posts fields to an object of Stripe's.
func (h *house) change(path string, fields url.Values) {
	h.t.Helper()
	h.stripe(http.MethodPost, path, "application/x-www-form-urlencoded", fields.Encode())
}

// takeWebhooks has Stripe deliver its events to this replica.
func (h *house) takeWebhooks() {
	h.t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = h.billing.Webhook(r.Context(), body, r.Header.Get("Stripe-Signature"))
		}
		if err != nil {
			h.t.Error(err)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	endpoint, err := json.Marshal(billingtest.Webhook{URL: receiver.URL, Secret: webhookSecret})
	if err != nil {
		h.t.Fatal(err)
	}
	h.stripe(http.MethodPost, "/_drydock/webhooks", "application/json", string(endpoint))
	h.t.Cleanup(receiver.Close)
}

// stale is how often an old value stood in at this replica.
func (h *house) stale() int {
	h.t.Helper()
	sum := 0
	for _, metric := range h.metrics("drydock_cache_requests_total") {
		for _, label := range metric.GetLabel() {
			if label.GetName() == "outcome" && label.GetValue() == "stale" {
				sum += int(metric.GetCounter().GetValue())
			}
		}
	}
	return sum
}

// TestViewerChangedAtStripe: what Stripe tells of reaches who follows, once it is read;
// while Stripe gives no answers nothing old is sent as news.
func TestViewerChangedAtStripe(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	h.takeWebhooks()
	account, err := h.billing.Account(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	type state struct {
		Login, Email string
		Plan         struct {
			Name   string
			Limits struct{ Images int }
		}
	}
	news := h.as(ada).follow(`subscription { viewerChanged { login email plan { name limits { images } } } }`, nil)
	next := func(what string) state {
		t.Helper()
		var data struct{ ViewerChanged state }
		got := await(t, news, what, func(answer) bool { return true })
		if len(got.Codes) > 0 {
			t.Fatalf("%s: %+v", what, got)
		}
		into(t, got.Data, &data)
		return data.ViewerChanged
	}
	// until skips what is as before: an event may come for more than one reason.
	until := func(what string, before state, holds func(state) bool) state {
		t.Helper()
		for {
			switch got := next(what); {
			case holds(got):
				return got
			case got != before:
				t.Fatalf("%s: %+v", what, got)
			}
		}
	}
	first := next("the present state")
	if first.Login != ada || first.Plan.Name != "Free" || first.Plan.Limits.Images != 25 {
		t.Fatalf("the present state is %+v", first)
	}
	h.change("/v1/customers/"+account.CustomerID, url.Values{"email": {"ada@new.example"}})
	second := until("the account's change", first, func(s state) bool { return s.Email == "ada@new.example" })
	h.change("/v1/products/prod_drydock_free", url.Values{"metadata[drydock.images]": {"30"}})
	third := until("the plan's change", second, func(s state) bool { return s.Plan.Limits.Images == 30 })

	h.stripe(http.MethodPost, "/_drydock/faults", "application/json", `{"times":-1,"dropBefore":true}`)
	h.change("/v1/products/prod_drydock_free", url.Values{"metadata[drydock.images]": {"40"}})
	for looks := range 2 { // after the webhook, and once more
		before := h.stale()
		h.until(fmt.Sprint("it is looked for, ", looks), func() bool { return h.stale() > before })
	}
	select {
	case got, open := <-news:
		t.Errorf("while Stripe is away: %+v, %v", got, open)
	default:
	}
	h.stripe(http.MethodDelete, "/_drydock/faults", "", "")
	until("the change of meanwhile", third, func(s state) bool { return s.Plan.Limits.Images == 40 })
}
