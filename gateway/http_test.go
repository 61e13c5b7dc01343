package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/gateway"
)

func TestQueryByGet(t *testing.T) {
	w := serve(t, nil)
	cookie := w.signIn(t)
	tests := []struct {
		reason, address string
		header          string
		status          int
		code, data      string
	}{
		{reason: "a query", address: "?query={viewer{login}}", status: 200, data: `map[viewer:map[login:ada]]`},
		{reason: "with variables", address: "?query=" + url.QueryEscape(`query($n:String!){image(name:$n){name}}`) + "&variables=" + url.QueryEscape(`{"n":"web"}`), status: 200, data: `map[image:map[name:web]]`},
		{reason: "variables that are no object", address: "?query={viewer{login}}&variables=7", status: 400, code: "BAD_USER_INPUT"},
		{reason: "a mutation is not for links", address: "?query=" + url.QueryEscape(`mutation{deleteImage(input:{id:"x"}){deletedID}}`), status: 405, code: "BAD_USER_INPUT"},
		{reason: "no query", address: "", status: 422, code: "BAD_USER_INPUT"},
		{reason: "the newer media type", address: "?query={viewer{login}}", header: "Accept: application/graphql-response+json", status: 200, data: `map[viewer:map[login:ada]]`},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			got := w.send(t, http.MethodGet, "/graphql"+test.address, "", cookie, test.header)
			if got.status != test.status || got.code(t) != test.code {
				t.Fatalf("%d: %s", got.status, got.body)
			}
			if test.data != "" && fmt.Sprint(got.graphql(t).Data) != test.data {
				t.Errorf("data: %s", got.body)
			}
		})
	}
}

func TestMediaTypes(t *testing.T) {
	w := serve(t, nil)
	for accept, want := range map[string]string{
		"":                                  "application/json",
		"*/*":                               "application/json",
		"application/graphql-response+json": "application/graphql-response+json",
		"application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed": "application/graphql-response+json",
		"text/event-stream": "text/event-stream",
	} {
		got := w.query(t, "{viewer{login}}", "Accept: "+accept)
		if got.status != http.StatusOK || got.header.Get("Content-Type") != want {
			t.Errorf("Accept %q: %d %s", accept, got.status, got.header.Get("Content-Type"))
		}
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	w := serve(t, nil)
	cookie := w.signIn(t)
	tests := []struct {
		reason, path string
		header       []string
		status       int
	}{
		{"a page of another site, told by Sec-Fetch-Site", "/graphql", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"a page of another host of this site", "/graphql", []string{"Sec-Fetch-Site: same-site", "Origin: https://evil.example.com"}, 403},
		{"an old browser, told by Origin", "/graphql", []string{"Origin: https://evil.example.com"}, 403},
		{"a sandboxed page", "/graphql", []string{"Origin: null"}, 403},
		{"signing in somebody else's browser", "/auth/dev", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"signing out", "/auth/logout", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"a page of our own", "/graphql", []string{"Sec-Fetch-Site: same-origin", "Origin: " + w.URL}, 200},
		{"a program, which is no browser", "/graphql", nil, 200},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			header := append([]string{"Content-Type: application/json", cookie}, test.header...)
			got := w.send(t, http.MethodPost, test.path, `{"query":"{viewer{login}}"}`, header...)
			if got.status != test.status {
				t.Fatalf("%d: %s", got.status, got.body)
			}
			if got.status == 403 && got.code(t) != "FORBIDDEN" {
				t.Errorf("not a GraphQL error: %s", got.body)
			}
			if got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("no other site may read an answer")
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.URL.Path) })
	w := serve(t, func(o *gateway.Options) { o.Home, o.GraphiQL = page, page })
	tests := []struct {
		reason, method, path string
		header               []string
		status               int
	}{
		{"the home page", "GET", "/", nil, 200},
		{"the explorer", "GET", "/graphiql", nil, 200},
		{"its files", "GET", "/graphiql/assets/a.js", nil, 200},
		{"alive", "GET", "/livez", nil, 200},
		{"ready", "GET", "/readyz", nil, 200},
		{"metrics", "GET", "/metrics", nil, 200},
		{"an address that the app may know", "GET", "/images/hello", nil, 200},
		{"signing in by a link would be forgery", "GET", "/auth/dev", nil, 405},
		{"signing out by a link likewise", "GET", "/auth/logout", nil, 405},
		{"GraphQL knows GET and POST", "PUT", "/graphql", nil, 405},
		{"GraphQL typed into a browser leads to the explorer", "GET", "/graphql", []string{"Accept: text/html"}, 303},
		{"GitHub is not set up", "GET", "/auth/github", nil, 404},
		{"a broken WebSocket handshake", "GET", "/graphql", []string{"Upgrade: websocket"}, 426},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			got := w.send(t, test.method, test.path, "", test.header...)
			if got.status != test.status {
				t.Fatalf("%d: %s", got.status, got.body)
			}
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			} {
				if got.header.Get(name) != want {
					t.Errorf("%s: %q", name, got.header.Get(name))
				}
			}
			if !strings.Contains(got.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || got.header.Get("X-Request-Id") == "" {
				t.Errorf("headers: %v", got.header)
			}
		})
	}
}

func TestWithoutDevNobodyIsSignedInByName(t *testing.T) {
	w := serve(t, func(o *gateway.Options) { o.Dev = false })
	if got := w.send(t, "POST", "/auth/dev", `{"login":"ada"}`, "Content-Type: application/json"); got.status != http.StatusNotFound {
		t.Errorf("%d: %s", got.status, got.body)
	}
}

func TestPersistedQueries(t *testing.T) {
	w := serve(t, nil)
	query := "{viewer{login}}"
	sum := sha256.Sum256([]byte(query))
	extension := fmt.Sprintf(`"extensions":{"persistedQuery":{"version":1,"sha256Hash":"%s"}}`, hex.EncodeToString(sum[:]))
	ask := func(body string) reply {
		return w.send(t, http.MethodPost, "/graphql", body, "Content-Type: application/json")
	}
	if got := ask("{" + extension + "}"); got.status != 200 || got.code(t) != "PERSISTED_QUERY_NOT_FOUND" || got.graphql(t).Errors[0].Message != "PersistedQueryNotFound" {
		t.Errorf("before it was sent: %d %s", got.status, got.body)
	}
	if got := ask(fmt.Sprintf(`{"query":%q,%s}`, query, extension)); got.status != 200 || got.code(t) != "" {
		t.Errorf("when it is sent: %d %s", got.status, got.body)
	}
	if got := ask("{" + extension + "}"); got.status != 200 || fmt.Sprint(got.graphql(t).Data) != "map[viewer:<nil>]" {
		t.Errorf("after it was sent: %d %s", got.status, got.body)
	}
}

func TestIntrospectionSwitch(t *testing.T) {
	for _, on := range []bool{true, false} {
		w := serve(t, func(o *gateway.Options) { o.Introspection = on })
		for _, query := range []string{"{__schema{queryType{name}}}", `{__type(name:"Query"){name}}`, "{viewer{...on Account{login}} ...on Query{__schema{queryType{name}}}}"} {
			if got := w.query(t, query).code(t); (got == "") != on {
				t.Errorf("introspection %t: %s: %q", on, query, got)
			}
		}
		if got := w.query(t, "{__typename}").code(t); got != "" {
			t.Errorf("__typename is no introspection: %q", got)
		}
	}
}

func TestFreshContextForEveryResponse(t *testing.T) {
	type key struct{}
	made := 0
	w := serve(t, func(o *gateway.Options) {
		o.PerResponse = func(ctx context.Context) context.Context { made++; return context.WithValue(ctx, key{}, made) }
	})
	for range 3 {
		w.query(t, "{viewer{login}}")
	}
	if made != 3 {
		t.Errorf("prepared %d contexts for 3 responses", made)
	}
}

func TestOneWideLineForEachRequest(t *testing.T) {
	w := serve(t, func(o *gateway.Options) {
		o.Count = func(ctx context.Context) (context.Context, func() []slog.Attr) {
			return ctx, func() []slog.Attr { return []slog.Attr{slog.Int("upstreamCalls", 2)} }
		}
	})
	cookie := w.signIn(t)
	w.query(t, `query Look {viewer{login} image(name:"missing"){name}}`, cookie, "X-Request-Id: look-1")
	w.send(t, "GET", "/metrics", "")
	var line map[string]any
	eventually(t, "the line", func() bool {
		for _, one := range w.log.lines(t, "request") {
			if one["requestId"] == "look-1" {
				line = one
			}
		}
		return line != nil
	})
	for _, volatile := range []string{"time", "seconds", "bytes"} {
		if _, ok := line[volatile]; !ok {
			t.Errorf("no %s", volatile)
		}
		delete(line, volatile)
	}
	want := map[string]any{
		"level": "INFO", "msg": "request", "requestId": "look-1", "viewer": "ada", "method": "POST", "route": "/graphql", "path": "/graphql",
		"status": 200.0, "operationType": "query", "operation": "Look", "codes": []any{"NOT_FOUND"}, "upstreamCalls": 2.0,
	}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Error(diff)
	}
}

func TestRequestIDs(t *testing.T) {
	w := serve(t, nil)
	for id, kept := range map[string]bool{"abc-123": true, "": false, "a b": false, strings.Repeat("x", 200): false, `"quoted"`: false} {
		got := w.send(t, "GET", "/livez", "", "X-Request-Id: "+id).header.Get("X-Request-Id")
		if (got == id) != kept || got == "" {
			t.Errorf("%q became %q", id, got)
		}
	}
}

func TestAPanickingPage(t *testing.T) {
	page := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("hunter2") })
	flushed := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "half a page")
		_ = http.NewResponseController(w).Flush()
		panic("hunter2")
	})
	w := serve(t, func(o *gateway.Options) { o.Home, o.GraphiQL = page, flushed })
	if got := w.send(t, "GET", "/", ""); got.status != 500 || got.code(t) != "INTERNAL" || strings.Contains(got.body, "hunter2") {
		t.Errorf("before anything was sent: %d %s", got.status, got.body)
	}
	answer, err := w.Client().Get(w.URL + "/graphiql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(answer.Body); err == nil {
		t.Error("half a page must not look like a whole one")
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both are logged", func() bool { return len(w.log.lines(t, "panic")) == 2 && len(w.log.lines(t, "request")) == 2 })
}

func TestReadiness(t *testing.T) {
	w := serve(t, nil)
	if got := w.send(t, "GET", "/readyz", ""); got.status != 200 || got.body != `{"ready":true,"parts":{"part":{"ready":true,"details":{"objects":3}}}}`+"\n" {
		t.Errorf("ready: %d %s", got.status, got.body)
	}
	w.part.set(errors.New("images: not read yet"))
	if got := w.send(t, "GET", "/readyz", ""); got.status != 503 || !strings.Contains(got.body, `"ready":false,"missing":"images: not read yet"`) {
		t.Errorf("not ready: %d %s", got.status, got.body)
	}
	if got := w.send(t, "GET", "/readyz?verbose", ""); !strings.Contains(got.body, `"startedAt"`) {
		t.Errorf("verbose: %s", got.body)
	}
	w.part.set(nil)
	if got := w.send(t, "GET", "/readyz", ""); got.status != 200 {
		t.Errorf("ready again: %d %s", got.status, got.body)
	}
}

func TestMetrics(t *testing.T) {
	w := serve(t, nil)
	w.query(t, "{viewer{login}}")
	w.query(t, `{image(name:"missing"){name}}`)
	w.send(t, "BREW", "/nothing", "")
	want := []string{
		`drydock_http_requests_total{code="200",method="POST",route="/graphql"} 2`,
		`drydock_http_requests_total{code="404",method="other",route="other"} 1`,
		`drydock_graphql_operations_total{outcome="OK",type="query"} 1`,
		`drydock_graphql_operations_total{outcome="NOT_FOUND",type="query"} 1`,
		`drydock_websocket_connections 0`,
	}
	var body string
	eventually(t, "all counted", func() bool {
		body = w.send(t, "GET", "/metrics", "").body
		for _, line := range want {
			if !strings.Contains(body, line) {
				return false
			}
		}
		return true
	})
}

// TestStalledBodies: a body that does not come ends its request, whoever waits for it.
func TestStalledBodies(t *testing.T) {
	w := serve(t, func(o *gateway.Options) { o.Limits.BodyTime = 100 * time.Millisecond })
	cases := []struct{ reason, path, body, status string }{
		{"an operation that stalls, its length told", "/graphql", "Content-Length: 100\r\n\r\n{", "400 Bad Request"},
		{"an operation that stalls in chunks", "/graphql", "Transfer-Encoding: chunked\r\n\r\n5\r\n{", "400 Bad Request"},
		{"a sign-in", "/auth/dev", "Content-Length: 100\r\n\r\n{", "400 Bad Request"},
		{"a body that nobody reads", "/auth/logout", "Content-Length: 100\r\n\r\n{", "204 No Content"},
		{"a body that is refused by its path", "/nowhere", "Content-Length: 100\r\n\r\n{", "404 Not Found"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", w.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := conn.SetDeadline(time.Now().Add(deadline)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, "POST "+c.path+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+c.body); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn) // until the server ends the connection
			if err != nil {
				t.Fatal(err)
			}
			if first, _, _ := strings.Cut(string(answer), "\r\n"); first != "HTTP/1.1 "+c.status {
				t.Errorf("got %q, want %s", first, c.status)
			}
		})
	}
}
