package billingtest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing/billingtest"
)

// events are the types of all events, oldest first.
func (o *operator) events(pairs ...string) []string {
	o.t.Helper()
	types := []string{}
	for _, event := range o.must("GET", "/v1/events", append(pairs, "limit", "100")...).data() {
		types = append([]string{event["type"].(string)}, types...)
	}
	return types
}

// TestEvents has every change make its event, and nothing else make one.
func TestEvents(t *testing.T) {
	o := newOperator(t, billingtest.Options{})
	customer := o.must("POST", "/v1/customers", "metadata[drydock.login]", "ada").id()
	free := o.must("GET", "/v1/prices", "product", "prod_drydock_free").data()[0]["id"].(string)
	subscription := ""
	cases := []struct {
		reason string
		do     func()
		want   []string
	}{
		{"a change", func() { o.must("POST", "/v1/customers/"+customer, "email", "a@example.com") }, []string{"customer.updated"}},
		{"no change", func() { o.must("POST", "/v1/customers/"+customer, "email", "a@example.com") }, []string{}},
		{"a refusal", func() { o.do("POST", "/v1/customers/"+customer, "emial", "a@example.com") }, []string{}},
		{"a read", func() { o.must("GET", "/v1/customers/"+customer) }, []string{}},
		{"a plan's limit", func() {
			o.must("POST", "/v1/products/prod_drydock_team", "metadata[drydock.images]", "7")
		}, []string{"product.updated"}},
		{"a price off sale", func() { o.must("POST", "/v1/prices/"+free, "active", "false") }, []string{"price.updated"}},
		{"a new plan", func() {
			product := o.must("POST", "/v1/products", "name", "New").id()
			o.must("POST", "/v1/prices", "product", product, "currency", "usd", "unit_amount", "1")
		}, []string{"product.created", "price.created"}},
		{"a subscription", func() {
			subscription = o.must("POST", "/v1/subscriptions", "customer", customer, "items[0][price]", free).id()
		}, []string{"customer.subscription.created"}},
		{"a failed payment", func() { o.stripe.SetSubscriptionStatus(subscription, "past_due") }, []string{"customer.subscription.updated"}},
		{"a period that rolls over, and another", func() {
			o.advance(62 * 24 * time.Hour)
			o.stripe.RollOver()
		}, []string{"customer.subscription.updated", "customer.subscription.updated"}},
		{"the end at a period's end", func() {
			o.must("POST", "/v1/subscriptions/"+subscription, "cancel_at_period_end", "true")
			o.advance(30 * 24 * time.Hour)
			o.stripe.RollOver()
		}, []string{"customer.subscription.updated", "customer.subscription.deleted"}},
		{"a customer's end, with a subscription", func() {
			o.must("POST", "/v1/subscriptions", "customer", customer, "items[0][price]", free)
			o.must("DELETE", "/v1/customers/"+customer)
		}, []string{"customer.subscription.created", "customer.subscription.deleted", "customer.deleted"}},
		{"events are kept for 30 days", func() {
			o.advance(31 * 24 * time.Hour)
			o.stripe.RollOver()
		}, []string{}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			newest := ""
			if all := o.must("GET", "/v1/events", "limit", "1").data(); len(all) > 0 {
				newest = all[0]["id"].(string)
			}
			c.do()
			var since []string
			if o.do("GET", "/v1/events/"+newest).status == 200 {
				since = []string{"ending_before", newest}
			}
			got := o.events(since...)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEventShape looks at one event whole.
func TestEventShape(t *testing.T) {
	o := newOperator(t, billingtest.Options{})
	customer := o.must("POST", "/v1/customers", "metadata[a]", "1", "metadata[b]", "2", "email", "a@example.com").id()
	o.advance(time.Minute)
	made := o.with(map[string][]string{"Idempotency-Key": {"k"}}, "POST", "/v1/customers/"+customer, "metadata[a]", "", "metadata[b]", "3", "metadata[c]", "4")
	newest := o.must("GET", "/v1/events", "type", "customer.updated").data()[0]
	event := o.must("GET", "/v1/events/"+newest["id"].(string)).object
	if diff := cmp.Diff(newest, event); diff != "" {
		t.Errorf("listed and read differ (-listed +read):\n%s", diff)
	}
	data := event["data"].(object)
	if diff := cmp.Diff(object{"metadata": object{"a": "1", "b": "2", "c": nil}}, data["previous_attributes"]); diff != "" {
		t.Errorf("previous attributes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(made.object, data["object"]); diff != "" {
		t.Errorf("the object (-want +got):\n%s", diff)
	}
	delete(event, "data")
	want := object{
		"id": event["id"], "object": "event", "api_version": "2023-10-16", "created": float64(noon.Add(time.Minute).Unix()),
		"livemode": false, "pending_webhooks": 0.0, "type": "customer.updated",
		"request": object{"id": made.header.Get("Request-Id"), "idempotency_key": "k"},
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Errorf("the envelope (-want +got):\n%s", diff)
	}
}

func TestEventLists(t *testing.T) {
	o := newOperator(t, billingtest.Options{Unseeded: true})
	for n := range 3 {
		id := o.must("POST", "/v1/customers", "name", fmt.Sprint(n)).id()
		o.advance(time.Second)
		o.must("POST", "/v1/products", "name", fmt.Sprint(n))
		o.must("POST", "/v1/customers/"+id, "name", "x")
		o.advance(time.Second)
	}
	at := func(seconds int) string { return fmt.Sprint(noon.Unix() + int64(seconds)) }
	cases := []struct {
		reason string
		form   []string
		want   int
	}{
		{"all", nil, 9},
		{"of a type", []string{"type", "customer.created"}, 3},
		{"of a group", []string{"type", "customer.*"}, 6},
		{"of types", []string{"types[]", "customer.created", "types[]", "product.created"}, 6},
		{"since a time", []string{"created[gte]", at(2), "types[]", "customer.created"}, 2},
		{"until a time", []string{"created[lt]", at(1)}, 1},
		{"none", []string{"type", "price.created"}, 0},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			if got := o.events(c.form...); len(got) != c.want {
				t.Errorf("%d events, want %d: %v", len(got), c.want, got)
			}
		})
	}
	if got := o.do("GET", "/v1/events", "type", "a", "types[]", "b"); got.status != 400 {
		t.Errorf("type beside types: %d", got.status)
	}
	if got := o.do("GET", "/v1/events/evt_none"); got.status != 404 {
		t.Errorf("no such event: %d", got.status)
	}
}
