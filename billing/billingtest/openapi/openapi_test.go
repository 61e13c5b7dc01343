package openapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"drydock.dev/drydock/billing/billingtest/openapi"
)

// describe reads Stripe's description once for all tests.
var describe = sync.OnceValues(openapi.Load)

// TestCheck has wrong requests and wrong answers found.
func TestCheck(t *testing.T) {
	const list = `{"object": "list", "data": [], "has_more": false, "url": "/v1/customers"}`
	const customer = `{"object": "customer", "id": "cus_1", "created": 1, "livemode": false}`
	cases := []struct {
		reason  string
		method  string
		path    string
		body    string
		answers string
		want    string // of the violation; empty: none
	}{
		{"as described", "GET", "/v1/customers?limit=3&expand[]=data.subscriptions&created[gte]=1", "", list, ""},
		{"an unknown parameter", "GET", "/v1/customers?limits=3", "", list, "limits is not described"},
		{"text for a number", "GET", "/v1/customers?limit=ten", "", list, "limit"},
		{"a required one missing", "GET", "/v1/customers/search", "", list, "query is missing"},
		{"an unknown path", "GET", "/v1/clients", "", list, "not described"},
		{"an unknown field of a form", "POST", "/v1/customers", "emial=a", customer, "emial"},
		{"a wrong choice", "POST", "/v1/prices", "currency=usd&recurring[interval]=fortnight", customer, "interval"},
		{"a form as described", "POST", "/v1/customers", "email=a&metadata[k]=v&expand[0]=subscriptions", customer, ""},
		{"an answer that lacks a field", "POST", "/v1/customers", "", `{"object": "customer", "id": "cus_1", "livemode": false}`, "created"},
		{"an answer of a wrong type", "POST", "/v1/customers", "", `{"object": "customer", "id": 1, "created": 1, "livemode": false}`, "id"},
		{"another object", "GET", "/v1/customers/search?query=a", "", customer, "customers/search"},
		{"no JSON", "GET", "/v1/customers", "", "<html>", "invalid character"},
	}
	description, err := describe()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			checked := description.Check(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, c.answers)
			}))
			request := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			checked.ServeHTTP(httptest.NewRecorder(), request)
			violations, n := checked.Violations()
			if n != 1 {
				t.Errorf("%d checked", n)
			}
			all := strings.Join(violations, "\n")
			if (c.want == "") != (len(violations) == 0) || !strings.Contains(all, c.want) {
				t.Errorf("found %q, want %q", all, c.want)
			}
		})
	}
}
