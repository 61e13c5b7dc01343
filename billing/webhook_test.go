package billing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/transport"
)

// event is a body as Stripe sends it.
func event(id, kind, object string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"event","api_version":"2023-10-16","type":%q,"data":{"object":%s}}`, id, kind, object)
}

// TestWebhookSignature tells whose events are heeded.
func TestWebhookSignature(t *testing.T) {
	const first, second = "whsec_first", "whsec_second"
	body := event("evt_1", "product.updated", `{"id":"prod_drydock_free","object":"product"}`)
	signed := func(age time.Duration, body []byte, secrets ...string) func(time.Time) string {
		return func(now time.Time) string { return billingtest.Sign(body, now.Add(-age), secrets...) }
	}
	cases := []struct {
		reason    string
		secrets   []string
		body      []byte
		signature func(now time.Time) string
		kind      fault.Kind
	}{
		{"the secret's", []string{first}, body, signed(0, body, first), ""},
		{"the old secret's, while a new one is being put in", []string{second, first}, body, signed(0, body, first), ""},
		{"the new secret's", []string{second, first}, body, signed(0, body, second), ""},
		{"both secrets', and we have the new one", []string{second}, body, signed(0, body, first, second), ""},
		{"almost too old", []string{first}, body, signed(4*time.Minute, body, first), ""},
		{"another secret's", []string{first}, body, signed(0, body, second), fault.Forbidden},
		{"no signature", []string{first}, body, func(time.Time) string { return "" }, fault.Forbidden},
		{"no signature of a version that we know", []string{first}, body, func(now time.Time) string { return fmt.Sprintf("t=%d,v9=00", now.Unix()) }, fault.Forbidden},
		{"words", []string{first}, body, func(time.Time) string { return "please" }, fault.Forbidden},
		{"too old: somebody plays it again", []string{first}, body, signed(6*time.Minute, body, first), fault.Forbidden},
		{"of another body", []string{first}, body, signed(0, []byte("{}"), first), fault.Forbidden},
		{"of nothing that we expect", nil, body, signed(0, body, first), fault.NotFound},
		{"an empty secret proves nothing", []string{first}, body, signed(0, body, ""), fault.Forbidden},
		{"no event", []string{first}, []byte("{}"), signed(0, []byte("{}"), first), fault.BadUserInput},
		{"no JSON", []string{first}, []byte("x"), signed(0, []byte("x"), first), fault.BadUserInput},
	}
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			var announced []string
			client := w.started(t, func(o *billing.Options) {
				o.WebhookSecrets, o.Announce = c.secrets, collect(&announced)
			})
			err := client.Webhook(within(t), c.body, c.signature(time.Now()))
			if c.kind == "" && err != nil || c.kind != "" && fault.KindOf(err) != c.kind {
				t.Errorf("got %v, want %q", err, c.kind)
			}
			var want []string
			if c.kind == "" {
				want = []string{"product:prod_drydock_free", "event:evt_1"}
			}
			if diff := cmp.Diff(want, announced); diff != "" {
				t.Errorf("announced (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWebhookNotices tells what each event makes the replicas drop.
func TestWebhookNotices(t *testing.T) {
	const customer = `{"id":"cus_1","object":"customer","created":7,"metadata":{"drydock.login":"Ada"}}`
	cases := []struct {
		reason string
		body   []byte
		want   []string
	}{
		{"a new customer", event("evt_1", "customer.created", customer), []string{"customer:cus_1", "login:ada:cus_1:7", "event:evt_1"}},
		{"one that is not ours", event("evt_1", "customer.updated", `{"id":"cus_1","object":"customer"}`), nil},
		{"one that is no more", event("evt_1", "customer.deleted", customer), []string{"customer:cus_1", "gone:ada:cus_1", "event:evt_1"}},
		{
			"one with another login",
			bytes.Replace(event("evt_1", "customer.updated", customer), []byte(`"data":{`),
				[]byte(`"data":{"previous_attributes":{"metadata":{"drydock.login":"grace"}},`), 1),
			[]string{"customer:cus_1", "login:ada:cus_1:7", "left:grace:cus_1", "event:evt_1"},
		},
		{
			"one whose tokens were ended",
			bytes.Replace(event("evt_1", "customer.updated", customer), []byte(`"data":{`),
				[]byte(`"data":{"previous_attributes":{"metadata":{"drydock.token_epoch":"1"}},`), 1),
			[]string{"customer:cus_1", "login:ada:cus_1:7", "revoked:cus_1", "event:evt_1"},
		},
		{
			"one without a login from now on",
			[]byte(`{"id":"evt_1","type":"customer.updated","data":{"object":{"id":"cus_1","object":"customer","metadata":{}},` +
				`"previous_attributes":{"metadata":{"drydock.login":"ada"}}}}`),
			[]string{"customer:cus_1", "left:ada:cus_1", "event:evt_1"},
		},
		{"a subscription", event("evt_1", "customer.subscription.updated", `{"id":"sub_1","object":"subscription","customer":"cus_1"}`), []string{"customer:cus_1", "event:evt_1"}},
		{"one whose customer is expanded", event("evt_1", "customer.subscription.updated", `{"id":"sub_1","object":"subscription","customer":`+customer+`}`), []string{"customer:cus_1", "event:evt_1"}},
		{"a checkout", event("evt_1", "checkout.session.completed", `{"id":"cs_1","object":"checkout.session","customer":"cus_1"}`), []string{"customer:cus_1", "event:evt_1"}},
		{"a checkout of nobody", event("evt_1", "checkout.session.completed", `{"id":"cs_1","object":"checkout.session","customer":null}`), nil},
		{"a product", event("evt_1", "product.deleted", `{"id":"prod_1","object":"product"}`), []string{"product:prod_1", "event:evt_1"}},
		{"a price", event("evt_1", "price.updated", `{"id":"price_1","object":"price","product":"prod_1"}`), []string{"price:prod_1", "event:evt_1"}},
		{"something that is nothing to us", event("evt_1", "charge.succeeded", `{"id":"ch_1","object":"charge","customer":"cus_1"}`), nil},
		{"a customer whose id is none of Stripe's", event("evt_1", "customer.updated", `{"id":"a:b","object":"customer","metadata":{"drydock.login":"ada"}}`), nil},
		{"an object of no kind", event("evt_1", "customer.updated", `[]`), nil},
	}
	w := newWorld(t, billingtest.Options{})
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			var announced []string
			client := w.client(t, func(o *billing.Options) {
				o.WebhookSecrets, o.Announce = []string{whsec}, collect(&announced)
			})
			// A second delivery is told to nobody.
			for range 2 {
				if err := client.Webhook(within(t), c.body, billingtest.Sign(c.body, time.Now(), whsec)); err != nil &&
					(c.want != nil || !json.Valid(c.body) || fault.KindOf(err) != fault.BadUserInput) {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, announced); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// collect is an Announce that keeps what it is told.
func collect(into *[]string) func(context.Context, []string) error {
	return func(_ context.Context, notices []string) error {
		*into = append(*into, notices...)
		return nil
	}
}

// FuzzWebhook sends bodies and signatures, with the right one too: nothing panics, and
// nothing is announced that was not signed.
func FuzzWebhook(f *testing.F) {
	f.Add(event("evt_1", "customer.created", `{"id":"cus_1","object":"customer","created":7,"metadata":{"drydock.login":"ada"}}`), "t=1,v1=00", true)
	f.Add(event("evt_1", "price.updated", `{"id":"price_1","object":"price","product":{"id":"prod_1"}}`), "", true)
	f.Add(event("evt_1", "customer.updated", `{"id":"a:b","object":"customer","metadata":{"drydock.login":"ada"}}`), "t=1", true)
	f.Add([]byte(`{"id":"evt_1","data":{"object":{}}}`), "v1=,t=", true)
	f.Add([]byte(`{"id":"evt_1","data":null}`), ",,,", true)
	f.Add([]byte(`{"id":"evt_1","type":"customer.updated","data":{"object":{"id":"cus_1","object":"customer"},"previous_attributes":{"metadata":{"drydock.login":7}}}}`), "t=9,v1=zz", false)
	f.Add(event("evt_1", "customer.subscription.created", `{"id":"sub_1","object":"subscription","status":"active","customer":"cus_1","metadata":{"drydock.replaces":"sub_0"}}`), "", true)
	var announced []string
	var log logged
	client, err := billing.New(billing.Options{
		Key: "sk_test_fuzz", HTTP: nowhere{}, Retry: transport.Retry{Attempts: 1}, WebhookSecrets: []string{whsec},
		Announce: collect(&announced), Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(client.Close)
	f.Fuzz(func(t *testing.T, body []byte, signature string, signed bool) {
		announced = nil
		if signed {
			signature = billingtest.Sign(body, time.Now(), whsec)
		}
		err := client.Webhook(t.Context(), body, signature)
		if !signed && (fault.KindOf(err) != fault.Forbidden || len(announced) > 0) {
			t.Errorf("not signed: got %v, announced %q", err, announced)
		}
		// What was announced is understood by who hears it.
		client.Hear(announced)
		if strings.Contains(log.take(), "unknown kind") {
			t.Errorf("announced %q", announced)
		}
	})
}

// nowhere is a road that leads to no Stripe.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("nowhere") }
