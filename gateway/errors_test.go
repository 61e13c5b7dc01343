package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/gateway"
)

func TestBadRequests(t *testing.T) {
	w := serve(t, func(o *gateway.Options) {
		o.Limits = gateway.Limits{BodyBytes: 256 << 10, QueryBytes: 60_000, Tokens: 5_000, Timeout: time.Second}
	})
	cookie := w.signIn(t)
	doc := func(query string) string { return fmt.Sprintf(`{"query":%q}`, query) }
	tests := []struct {
		reason, body, media, accept string
		status                      int
		code, says                  string
	}{
		{reason: "no JSON", body: `query`, status: 400, code: "BAD_USER_INPUT", says: "one JSON object"},
		{reason: "half a JSON object", body: `{"query":`, status: 400, code: "BAD_USER_INPUT", says: "one JSON object"},
		{reason: "more than one JSON object", body: doc("{viewer{login}}") + doc("{viewer{login}}"), status: 400, code: "BAD_USER_INPUT", says: "one JSON object"},
		{reason: "a batch", body: `[` + doc("{viewer{login}}") + `]`, status: 400, code: "BAD_USER_INPUT", says: "one JSON object"},
		{reason: "variables are not an object", body: `{"query":"{viewer{login}}","variables":[1]}`, status: 400, code: "BAD_USER_INPUT", says: "one JSON object"},
		{reason: "empty", body: ``, status: 400, code: "BAD_USER_INPUT", says: "one JSON object"},
		{reason: "null", body: `null`, status: 422, code: "BAD_USER_INPUT", says: "no query"},
		{reason: "no query", body: `{}`, status: 422, code: "BAD_USER_INPUT", says: "no query"},
		{reason: "another media type", body: doc("{viewer{login}}"), media: "text/plain", status: 415, code: "BAD_USER_INPUT", says: "application/json"},
		{reason: "a form, as another site could send", body: "query={viewer{login}}", media: "application/x-www-form-urlencoded", status: 415, code: "BAD_USER_INPUT", says: "application/json"},
		{reason: "an oversized body", body: `{"query":"{viewer{login}}","variables":{"x":"` + strings.Repeat("x", 300<<10) + `"}}`, status: 413, code: "REQUEST_TOO_LARGE", says: "at most"},
		{reason: "a body that is larger than what a socket takes at once", body: strings.Repeat("x", 16<<20), status: 413, code: "REQUEST_TOO_LARGE", says: "at most"},
		{reason: "an oversized query", body: doc("{viewer{login}}#" + strings.Repeat("x", 70_000)), status: 413, code: "REQUEST_TOO_LARGE", says: "variables"},
		{reason: "too many tokens", body: doc("{" + strings.Repeat("a:viewer{id}", 1_500) + "}"), status: 422, code: "GRAPHQL_PARSE_FAILED", says: "token"},
		{reason: "no GraphQL", body: doc("{viewer{"), status: 422, code: "GRAPHQL_PARSE_FAILED"},
		{reason: "no GraphQL, for a client of the newer media type", body: doc("{viewer{"), accept: "application/graphql-response+json", status: 400, code: "GRAPHQL_PARSE_FAILED"},
		{reason: "an unknown field", body: doc("{viewer{password}}"), status: 422, code: "GRAPHQL_VALIDATION_FAILED", says: "password"},
		{reason: "an unknown argument", body: doc(`{image(title:"a"){name}}`), status: 422, code: "GRAPHQL_VALIDATION_FAILED", says: "title"},
		{reason: "a wrong literal", body: doc(`{image(name:3){name}}`), status: 422, code: "GRAPHQL_VALIDATION_FAILED"},
		{reason: "an operation that is not there", body: `{"query":"query A{viewer{login}} query B{viewer{login}}","operationName":"C"}`, status: 422, code: "BAD_USER_INPUT", says: "operationName"},
		{reason: "several operations and no name", body: doc("query A{viewer{login}} query B{viewer{login}}"), status: 422, code: "BAD_USER_INPUT", says: "operationName"},
		{reason: "a missing variable", body: doc(`query($n:String!){image(name:$n){name}}`), status: 422, code: "BAD_USER_INPUT", says: "$n"},
		{reason: "a variable of another type", body: `{"query":"query($n:String!){image(name:$n){name}}","variables":{"n":{"a":1}}}`, status: 422, code: "BAD_USER_INPUT", says: "$n"},
		{reason: "an unknown field in an input", body: `{"query":"mutation($i:DeleteImageInput!){deleteImage(input:$i){deletedID}}","variables":{"i":{"id":"x","force":true}}}`, status: 422, code: "BAD_USER_INPUT", says: "$i"},
		{reason: "a number beyond all bounds as a variable", body: `{"query":"query($n:Int!){viewer{images(first:$n){edges{cursor}}}}","variables":{"n":99999999999999999999}}`, status: 422, code: "BAD_USER_INPUT", says: "$n"},
		{reason: "a number beyond all bounds as a literal", body: doc("{viewer{images(first:99999999999999999999){edges{cursor}}}}"), status: 422, code: "GRAPHQL_VALIDATION_FAILED", says: "32-bit"},
		{reason: "a fraction for a whole number", body: `{"query":"query($n:Int!){viewer{images(first:$n){edges{cursor}}}}","variables":{"n":1.5}}`, status: 422, code: "BAD_USER_INPUT", says: "$n"},
		{reason: "a page too large is told by its field, not by its cost", body: doc("{viewer{images(first:1000000){edges{node{name}}}}}"), status: 200, code: "BAD_USER_INPUT", says: "1 to 100"},
		{reason: "too deep", body: doc("{viewer{" + strings.Repeat("images{edges{node{owner{", 4) + "login" + strings.Repeat("}}}}", 4) + "}}"), status: 422, code: "DEPTH_LIMIT_EXCEEDED", says: "18 fields deep"},
		{reason: "too wide", body: doc("{viewer{images(first:100){edges{node{builds(first:100){edges{node{id number}}}}}}}}"), status: 422, code: "COMPLEXITY_LIMIT_EXCEEDED", says: "smaller pages"},
		{reason: "one field again and again, which validation would compare pair by pair", body: doc("{viewer{" + strings.Repeat("id ", 4_000) + "}}"), status: 422, code: "COMPLEXITY_LIMIT_EXCEEDED", says: "1000 are allowed"},
		{reason: "fragments of fragments", body: doc(doubling(200)), status: 422, code: "COMPLEXITY_LIMIT_EXCEEDED", says: "too many fields"},
		{reason: "a flood of looks at the schema", body: doc("{" + strings.Repeat("%__schema{types{name}}", 20) + "}"), status: 422, code: "COMPLEXITY_LIMIT_EXCEEDED"},
		{reason: "a flood of mutations", body: doc("mutation{" + strings.Repeat(`%deleteImage(input:{id:"x"}){deletedID}`, 30) + "}"), status: 422, code: "COMPLEXITY_LIMIT_EXCEEDED", says: "mutations"},
		{reason: "a fragment in a circle", body: doc("{viewer{...A}} fragment A on Account{...A}"), status: 422, code: "GRAPHQL_VALIDATION_FAILED"},
		{reason: "a subscription without a stream", body: doc("subscription{viewerChanged{login}}"), status: 406, code: "BAD_USER_INPUT", says: "text/event-stream"},
		{reason: "what is not there", body: doc(`{image(name:"missing"){name}}`), status: 200, code: "NOT_FOUND", says: `There is no image "missing".`},
		{reason: "an unknown failure is ours, and its text stays here", body: doc(`{image(name:"broken"){name}}`), status: 200, code: "INTERNAL", says: "on our side"},
		{reason: "a panic likewise", body: doc(`{image(name:"panic"){name}}`), status: 200, code: "INTERNAL", says: "on our side"},
		{reason: "an upstream's failure has the kind's words", body: doc(`{image(name:"down"){name}}`), status: 200, code: "UNAVAILABLE", says: "cannot be reached"},
		{reason: "the deadline", body: doc(`{image(name:"slow"){name}}`), status: 200, code: "TIMEOUT", says: "took too long"},
		{reason: "a persisted query of another hash", body: `{"query":"{viewer{login}}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`, status: 422, code: "BAD_USER_INPUT"},
		{reason: "a persisted query that makes no sense", body: `{"extensions":{"persistedQuery":"x"}}`, status: 422, code: "BAD_USER_INPUT"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			media := test.media
			if media == "" {
				media = "application/json"
			}
			header := []string{"Content-Type: " + media, cookie}
			if test.accept != "" {
				header = append(header, "Accept: "+test.accept)
			}
			got := w.send(t, http.MethodPost, "/graphql", aliased(test.body), header...)
			if got.status != test.status || got.code(t) != test.code {
				t.Fatalf("%d %s; want %d %s: %s", got.status, got.code(t), test.status, test.code, got.body)
			}
			if says := got.graphql(t).Errors[0].Message; !strings.Contains(says, test.says) {
				t.Errorf("says %q, want %q in it", says, test.says)
			}
			if strings.Contains(got.body, "hunter2") || strings.Contains(got.body, "goroutine") {
				t.Errorf("an internal text: %s", got.body)
			}
		})
	}
}

// aliased gives each % of a document an alias of its own.
func aliased(text string) string {
	for i := 0; strings.Contains(text, "%"); i++ {
		text = strings.Replace(text, "%", fmt.Sprintf("a%d:", i), 1)
	}
	return text
}

// doubling is a short document whose fragments would be 2^n fields.
func doubling(n int) string {
	var text strings.Builder
	text.WriteString("{viewer{...F0}}")
	for i := range n {
		fmt.Fprintf(&text, " fragment F%d on Account{...F%d ...F%d}", i, i+1, i+1)
	}
	fmt.Fprintf(&text, " fragment F%d on Account{id}", n)
	return text.String()
}

func TestTheCauseGoesToTheLog(t *testing.T) {
	w := serve(t, nil)
	got := w.query(t, `query Look($n: String = "broken") {image(name:$n){name}}`, "X-Request-Id: r-1")
	if id := got.graphql(t).Errors[0].Extensions["requestId"]; id != "r-1" || got.header.Get("X-Request-Id") != "r-1" {
		t.Errorf("the answer does not name the request: %s", got.body)
	}
	var line map[string]any
	eventually(t, "the failure's line", func() bool {
		lines := w.log.lines(t, "field failed")
		if len(lines) == 1 {
			line = lines[0]
		}
		return line != nil
	})
	if line["requestId"] != "r-1" || line["path"] != "image" || !strings.Contains(fmt.Sprint(line["error"]), secret) {
		t.Errorf("the log does not tell the cause: %v", line)
	}
}
