package billingtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/billing/billingtest/openapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// describe reads Stripe's description once for all tests.
var describe = sync.OnceValues(openapi.Load)

var noon = time.Date(2024, time.May, 15, 12, 0, 0, 0, time.UTC)

// operator is somebody with curl and a stand-in, whose answers are held to Stripe's
// description.
type operator struct {
	t      *testing.T
	stripe *billingtest.Server
	url    string
	mu     sync.Mutex
	now    time.Time
}

func (o *operator) advance(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func newOperator(t *testing.T, options billingtest.Options) *operator {
	t.Helper()
	o := &operator{t: t, now: noon}
	options.Now = func() time.Time {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.now
	}
	if options.LimitsNow == nil {
		options.Limits = billingtest.Unlimited
	}
	stripe, err := billingtest.New(options)
	if err != nil {
		t.Fatal(err)
	}
	description, err := describe()
	if err != nil {
		t.Fatal(err)
	}
	checked := description.Check(stripe)
	server := httptest.NewServer(checked)
	o.stripe, o.url = stripe, server.URL
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		server.Close()
		if err := stripe.Close(); err != nil {
			t.Error(err)
		}
		violations, _ := checked.Violations()
		for _, violation := range violations {
			t.Error("not as Stripe describes it:", violation)
		}
	})
	return o
}

type object = map[string]any

// reply is an answer; id and code are what most tests look at.
type reply struct {
	status int
	header http.Header
	object object
}

func (r reply) id() string { id, _ := r.object["id"].(string); return id }

func (r reply) code() string {
	inner, _ := r.object["error"].(object)
	code, _ := inner["code"].(string)
	return code
}

func (r reply) data() []object {
	list, _ := r.object["data"].([]any)
	data := make([]object, len(list))
	for i, item := range list {
		data[i] = item.(object)
	}
	return data
}

// do sends pairs as a form: in the query of a GET, else in the body.
func (o *operator) do(method, path string, pairs ...string) reply {
	o.t.Helper()
	return o.with(http.Header{}, method, path, pairs...)
}

func (o *operator) with(header http.Header, method, path string, pairs ...string) reply {
	o.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	body := form.Encode()
	if method == http.MethodGet {
		path, body = path+"?"+body, ""
	}
	request, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	request.Header = header
	if header.Get("Authorization") == "" {
		request.SetBasicAuth("sk_test_operator", "")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return reply{}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	got := reply{status: response.StatusCode, header: response.Header}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &got.object); err != nil {
			o.t.Fatal(err)
		}
	}
	return got
}

// must is do where a refusal ends the test.
func (o *operator) must(method, path string, pairs ...string) reply {
	o.t.Helper()
	got := o.do(method, path, pairs...)
	if got.status != http.StatusOK {
		o.t.Fatalf("%s %s: %d %v", method, path, got.status, got.object)
	}
	return got
}

// TestOperator does with every endpoint what an operator does, and has each request and
// answer checked against Stripe's description.
func TestOperator(t *testing.T) {
	o := newOperator(t, billingtest.Options{Unseeded: true})
	meter := o.must("POST", "/v1/billing/meters", "display_name", "Seconds", "event_name", "seconds", "default_aggregation[formula]", "sum",
		"value_settings[event_payload_key]", "value", "customer_mapping[type]", "by_id", "customer_mapping[event_payload_key]", "stripe_customer_id").id()
	o.must("GET", "/v1/billing/meters/"+meter)
	product := o.must("POST", "/v1/products", "name", "Team", "description", "For teams", "metadata[a]", "b").id()
	o.must("POST", "/v1/products/"+product, "metadata[a]", "", "metadata[c]", "d", "active", "true")
	if got := o.must("GET", "/v1/products/"+product).object["metadata"]; !cmp.Equal(got, any(object{"c": "d"})) {
		t.Errorf("metadata is %v", got)
	}
	o.must("GET", "/v1/products", "active", "true", "limit", "100", "ids[]", product)
	licensed := o.must("POST", "/v1/prices", "product", product, "currency", "usd", "unit_amount", "2000", "recurring[interval]", "month", "nickname", "Monthly").id()
	perSecond := o.must("POST", "/v1/prices", "product", product, "currency", "usd", "unit_amount_decimal", "0.0125",
		"recurring[interval]", "month", "recurring[usage_type]", "metered", "recurring[meter]", meter).id()
	tiered := o.must("POST", "/v1/prices", "product", product, "currency", "usd", "billing_scheme", "tiered", "tiers_mode", "graduated",
		"tiers[0][up_to]", "100", "tiers[0][unit_amount]", "0", "tiers[1][up_to]", "inf", "tiers[1][unit_amount_decimal]", "0.5",
		"recurring[interval]", "month", "recurring[usage_type]", "metered", "recurring[meter]", meter, "expand[]", "tiers").id()
	o.must("POST", "/v1/prices/"+tiered, "active", "false", "metadata[x]", "y")
	o.must("GET", "/v1/prices/"+perSecond, "expand[]", "product")
	if n := len(o.must("GET", "/v1/prices", "active", "true", "product", product, "recurring[usage_type]", "metered", "expand[]", "data.tiers").data()); n != 1 {
		t.Errorf("%d active metered prices", n)
	}
	o.must("POST", "/v1/products/"+product, "default_price", licensed, "expand[]", "default_price")

	customer := o.must("POST", "/v1/customers", "email", "a@example.com", "name", "A", "expand[]", "subscriptions").id()
	subscription := o.must("POST", "/v1/subscriptions", "customer", customer, "items[0][price]", licensed, "items[1][price]", perSecond,
		"trial_period_days", "7", "metadata[k]", "v", "expand[0]", "customer", "expand[1]", "items.data.price.product").id()
	got := o.must("GET", "/v1/subscriptions/"+subscription).object
	if got["status"] != "trialing" || got["current_period_end"] != float64(noon.AddDate(0, 0, 7).Unix()) {
		t.Errorf("in its trial: %v until %v", got["status"], got["current_period_end"])
	}
	o.advance(10 * 24 * time.Hour)
	got = o.must("GET", "/v1/subscriptions/"+subscription).object
	if got["status"] != "active" || got["current_period_end"] != float64(noon.AddDate(0, 1, 7).Unix()) {
		t.Errorf("behind its trial: %v until %v", got["status"], got["current_period_end"])
	}
	items := got["items"].(object)["data"].([]any)
	o.must("POST", "/v1/subscriptions/"+subscription, "items[0][id]", items[1].(object)["id"].(string), "items[0][deleted]", "true",
		"cancel_at_period_end", "true", "proration_behavior", "none")
	o.must("GET", "/v1/subscriptions", "customer", customer, "status", "all", "price", licensed)
	o.must("GET", "/v1/customers/"+customer, "expand[]", "subscriptions.data.items")
	o.must("GET", "/v1/customers", "expand[]", "data.subscriptions", "created[gte]", "1")
	o.must("GET", "/v1/customers/search", "query", `email:"a@example.com" AND -metadata['x']:'y'`, "expand[]", "data.subscriptions")
	o.advance(60 * 24 * time.Hour)
	if got = o.must("GET", "/v1/subscriptions/"+subscription).object; got["status"] != "canceled" {
		t.Errorf("behind the period's end: %v", got["status"])
	}
	second := o.must("POST", "/v1/subscriptions", "customer", customer, "items[0][price]", licensed, "items[0][quantity]", "2").id()
	if got = o.must("DELETE", "/v1/subscriptions/"+second).object; got["status"] != "canceled" {
		t.Errorf("cancelled: %v", got["status"])
	}
	o.must("POST", "/v1/billing/meter_events", "event_name", "seconds", "payload[stripe_customer_id]", customer, "payload[value]", "25")
	o.must("POST", "/v1/billing/meters/"+meter+"/deactivate")
	o.must("POST", "/v1/billing/meters/"+meter+"/reactivate")
	o.must("GET", "/v1/billing/meters", "status", "active")
	if got := o.must("DELETE", "/v1/customers/"+customer).object; got["deleted"] != true {
		t.Errorf("deleted: %v", got)
	}
	if got := o.must("GET", "/v1/customers/"+customer).object; got["deleted"] != true {
		t.Errorf("read when deleted: %v", got)
	}
}

// TestRefusals tells what is refused as Stripe refuses it.
func TestRefusals(t *testing.T) {
	many := make([]string, 0, 102)
	for n := range 51 {
		many = append(many, fmt.Sprintf("metadata[k%d]", n), "v")
	}
	cases := []struct {
		reason string
		method string
		path   string
		form   []string
		status int
		code   string
	}{
		{"a page too large", "GET", "/v1/customers", []string{"limit", "101"}, 400, "parameter_invalid_integer"},
		{"an empty page", "GET", "/v1/customers", []string{"limit", "0"}, 400, "parameter_invalid_integer"},
		{"no number", "GET", "/v1/customers", []string{"limit", "ten"}, 400, "parameter_invalid_integer"},
		{"an unknown parameter", "POST", "/v1/customers", []string{"emial", "a@example.com"}, 400, "parameter_unknown"},
		{"an unknown one within", "POST", "/v1/prices", []string{"product", "prod_drydock_free", "currency", "usd", "unit_amount", "1", "recurring[interval]", "month", "recurring[every]", "2"}, 400, "parameter_unknown"},
		{"a missing one", "POST", "/v1/products", nil, 400, "parameter_missing"},
		{"51 keys of metadata", "POST", "/v1/customers", many, 400, ""},
		{"a key of 41 characters", "POST", "/v1/customers", []string{"metadata[" + strings.Repeat("k", 41) + "]", "v"}, 400, ""},
		{"a value of 501 characters", "POST", "/v1/customers", []string{"metadata[k]", strings.Repeat("v", 501)}, 400, ""},
		{"a customer that is not", "GET", "/v1/customers/cus_none", nil, 404, "resource_missing"},
		{"a cursor that is not", "GET", "/v1/customers", []string{"starting_after", "cus_none"}, 400, "resource_missing"},
		{"two cursors", "GET", "/v1/customers", []string{"starting_after", "a", "ending_before", "b"}, 400, ""},
		{"nothing to expand", "GET", "/v1/products/prod_drydock_free", []string{"expand[]", "owner"}, 400, ""},
		{"too deep to expand", "GET", "/v1/subscriptions", []string{"expand[]", "data.items.data.price.product"}, 400, ""},
		{"a search without a query", "GET", "/v1/customers/search", nil, 400, "parameter_missing"},
		{"a query that does not parse", "GET", "/v1/customers/search", []string{"query", "login=ada"}, 400, ""},
		{"AND and OR in one query", "GET", "/v1/customers/search", []string{"query", "name:'a' AND name:'b' OR name:'c'"}, 400, ""},
		{"a price of nothing", "POST", "/v1/prices", []string{"product", "prod_none", "currency", "usd", "unit_amount", "1"}, 400, "resource_missing"},
		{"a subscription of nobody", "POST", "/v1/subscriptions", []string{"customer", "cus_none", "items[0][price]", "x"}, 400, "resource_missing"},
		{"an event of no meter", "POST", "/v1/billing/meter_events", []string{"event_name", "none", "payload[value]", "1", "payload[stripe_customer_id]", "x"}, 400, "resource_missing"},
		{"an event of nobody", "POST", "/v1/billing/meter_events", []string{"event_name", "drydock_build_seconds", "payload[value]", "1", "payload[stripe_customer_id]", "cus_none"}, 400, "resource_missing"},
	}
	o := newOperator(t, billingtest.Options{})
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			got := o.do(c.method, c.path, c.form...)
			if got.status != c.status || got.code() != c.code || got.header.Get("Request-Id") == "" {
				t.Errorf("got %d %s %v", got.status, got.code(), got.object)
			}
		})
	}
}

func TestAuthorization(t *testing.T) {
	cases := []struct {
		reason        string
		authorization string
		status        int
	}{
		{"a key", "Bearer sk_test_right", 200},
		{"another key", "Bearer sk_test_wrong", 401},
		{"a live key has no business here", "Bearer sk_live_right", 401},
		{"a publishable key", "Bearer pk_test_right", 401},
		{"no key", "Bearer ", 401},
	}
	o := newOperator(t, billingtest.Options{Key: "sk_test_right"})
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			got := o.with(http.Header{"Authorization": {c.authorization}, "Stripe-Version": {"2023-10-16"}}, "GET", "/v1/products")
			if got.status != c.status || got.header.Get("Stripe-Version") != "2023-10-16" {
				t.Errorf("got %d %v", got.status, got.header)
			}
		})
	}
}

func TestIdempotency(t *testing.T) {
	o := newOperator(t, billingtest.Options{})
	key := func() http.Header { return http.Header{"Idempotency-Key": {"k"}} }
	first := o.with(key(), "POST", "/v1/customers", "name", "a", "email", "a@example.com")
	again := o.with(key(), "POST", "/v1/customers", "email", "a@example.com", "name", "a")
	if first.id() == "" || again.id() != first.id() || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("first %v, again %v %v", first.id(), again.id(), again.header)
	}
	if other := o.with(key(), "POST", "/v1/customers", "name", "b"); other.status != 400 {
		t.Errorf("other parameters: %d", other.status)
	}
	o.advance(25 * time.Hour)
	if late := o.with(key(), "POST", "/v1/customers", "name", "b"); late.status != 200 || late.id() == first.id() {
		t.Errorf("a day later: %d %s", late.status, late.id())
	}
	refused := http.Header{"Idempotency-Key": {"r"}}
	if got := o.with(refused.Clone(), "POST", "/v1/customers", "nam", "b"); got.status != 400 {
		t.Errorf("refused: %d", got.status)
	}
	if got := o.with(refused.Clone(), "POST", "/v1/customers", "name", "b"); got.status != 200 {
		t.Errorf("a refusal took the key: %d %v", got.status, got.object)
	}
}

// TestIdempotencyInFlight sends the same request twice while the first one is slow.
func TestIdempotencyInFlight(t *testing.T) {
	o := newOperator(t, billingtest.Options{})
	o.stripe.Inject(billingtest.Fault{Match: "POST /v1/customers", Latency: time.Second})
	replies := make(chan reply, 2)
	for range cap(replies) {
		go func() { replies <- o.with(http.Header{"Idempotency-Key": {"k"}}, "POST", "/v1/customers") }()
	}
	second, first := <-replies, <-replies
	if second.status != http.StatusConflict || second.code() != "idempotency_key_in_use" || first.status != http.StatusOK {
		t.Errorf("got %d %s while the first was under way, which got %d", second.status, second.code(), first.status)
	}
}

func TestLists(t *testing.T) {
	o := newOperator(t, billingtest.Options{})
	var ids []string
	for n := range 5 {
		ids = append(ids, o.must("POST", "/v1/customers", "email", fmt.Sprintf("%d@example.com", n%2)).id())
		o.advance(time.Second)
	}
	at := func(n int) string { return fmt.Sprint(noon.Add(time.Duration(n) * time.Second).Unix()) }
	cases := []struct {
		reason string
		form   []string
		want   []int
		more   bool
	}{
		{"newest first", nil, []int{4, 3, 2, 1, 0}, false},
		{"a page", []string{"limit", "2"}, []int{4, 3}, true},
		{"the next", []string{"limit", "2", "starting_after", ids[3]}, []int{2, 1}, true},
		{"the last", []string{"limit", "2", "starting_after", ids[1]}, []int{0}, false},
		{"backwards", []string{"limit", "2", "ending_before", ids[0]}, []int{2, 1}, true},
		{"backwards to the start", []string{"limit", "2", "ending_before", ids[3]}, []int{4}, false},
		{"from a time", []string{"created[gte]", at(3)}, []int{4, 3}, false},
		{"between times", []string{"created[gt]", at(0), "created[lt]", at(3)}, []int{2, 1}, false},
		{"of a moment", []string{"created", at(2)}, []int{2}, false},
		{"by address", []string{"email", "1@example.com"}, []int{3, 1}, false},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			page := o.must("GET", "/v1/customers", c.form...)
			got := []int{}
			for _, customer := range page.data() {
				for n, id := range ids {
					if id == customer["id"] {
						got = append(got, n)
					}
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || page.object["has_more"] != c.more {
				t.Errorf("has_more %v (-want +got):\n%s", page.object["has_more"], diff)
			}
		})
	}
}

func TestSearchLags(t *testing.T) {
	o := newOperator(t, billingtest.Options{SearchLag: time.Minute})
	id := o.must("POST", "/v1/customers", "metadata[drydock.login]", "ada").id()
	found := func(login string) int {
		return len(o.must("GET", "/v1/customers/search", "query", "metadata['drydock.login']:'"+login+"'").data())
	}
	if n := found("ada"); n != 0 {
		t.Errorf("found %d at once", n)
	}
	o.advance(time.Minute)
	if n := found("Ada"); n != 1 {
		t.Errorf("found %d a minute later", n)
	}
	o.must("POST", "/v1/customers/"+id, "metadata[drydock.login]", "grace")
	if found("ada") != 1 || found("grace") != 0 {
		t.Error("a change was seen at once")
	}
	o.advance(time.Minute)
	if found("ada") != 0 || found("grace") != 1 {
		t.Error("a change was not seen a minute later")
	}
}
