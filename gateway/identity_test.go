package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
)

func TestWhoAsks(t *testing.T) {
	f := newFleet(t, 2)
	here, there := f.replicas[0], f.replicas[1]
	ada := here.signIn(t)
	bob := there.signInAs(t, "bob")
	token := here.token(t, ada, `name:"ci"`)
	tests := []struct {
		reason string
		header []string
		status int
		login  string
		code   string
	}{
		{"nobody", nil, 200, "", ""},
		{"a session", []string{bob}, 200, "bob", ""},
		{"a token", []string{token}, 200, "ada", ""},
		{"the scheme's case does not matter", []string{strings.Replace(token, "Bearer", "bearer", 1)}, 200, "ada", ""},
		{"a token goes before a session", []string{bob, token}, 200, "ada", ""},
		{"a token that does not hold, too", []string{bob, token + "x"}, 401, "", "UNAUTHENTICATED"},
		{"a token that is none", []string{"Authorization: Bearer nonsense"}, 401, "", "UNAUTHENTICATED"},
		{"an empty token", []string{"Authorization: Bearer"}, 401, "", "UNAUTHENTICATED"},
		{"two tokens", []string{token, token}, 400, "", "BAD_USER_INPUT"},
		{"a token behind another header", []string{"Authorization: Basic eDp5", token}, 400, "", "BAD_USER_INPUT"},
		{"another scheme is somebody else's", []string{bob, "Authorization: Basic eDp5"}, 200, "bob", ""},
		{"the proxy's word", []string{"X-Forwarded-User: Carol", auth.SecretHeader + ": " + proxySecret}, 200, "carol", ""},
		{"goes before a session", []string{bob, "X-Forwarded-User: carol", auth.SecretHeader + ": " + proxySecret}, 200, "carol", ""},
		{"a token goes before it", []string{token, "X-Forwarded-User: carol", auth.SecretHeader + ": " + proxySecret}, 200, "ada", ""},
		{"the word of somebody who does not know the secret", []string{"X-Forwarded-User: carol", auth.SecretHeader + ": guessed"}, 200, "", ""},
		{"who may have a session of his own", []string{bob, "X-Forwarded-User: carol"}, 200, "bob", ""},
		{"a name that can have no account", []string{"X-Forwarded-User: carol@example.com", auth.SecretHeader + ": " + proxySecret}, 403, "", "FORBIDDEN"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			got := there.query(t, "{viewer{login}}", test.header...)
			if got.status != test.status || got.login(t) != test.login || got.code(t) != test.code {
				t.Errorf("%d %s, want %d %q %s", got.status, got.body, test.status, test.login, test.code)
			}
			if challenge := got.header.Get("WWW-Authenticate"); (challenge != "") != (test.status == http.StatusUnauthorized) {
				t.Errorf("WWW-Authenticate: %q", challenge)
			}
		})
	}
	there.unwritten(t, strings.TrimPrefix(token, "Authorization: Bearer "), proxySecret, "guessed")
	proxied := []string{token, "X-Forwarded-User: dave", auth.SecretHeader + ": " + proxySecret}
	if got := there.query(t, "{viewer{login}}", proxied...); got.login(t) != "ada" {
		t.Errorf("a token beside the proxy's word: %d %s", got.status, got.body)
	}
	if account, err := there.money.Account(t.Context(), "dave"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("whom the proxy named beside a token has an account: %+v, %v", account, err)
	}
}

// TestKnownAccountsCostNothing: once a replica knows the account, no proof asks Stripe.
func TestKnownAccountsCostNothing(t *testing.T) {
	f := newFleet(t, 1)
	r := f.replicas[0]
	token := r.token(t, r.signIn(t), `name:"ci"`)
	proxy := []string{"X-Forwarded-User: ada", auth.SecretHeader + ": " + proxySecret}
	asked := r.costs(func() {
		for range 10 {
			if got := r.query(t, "{viewer{login}}", token); got.login(t) != "ada" {
				t.Fatalf("a token: %d %s", got.status, got.body)
			}
			if got := r.query(t, "{viewer{login}}", proxy...); got.login(t) != "ada" {
				t.Fatalf("the proxy: %d %s", got.status, got.body)
			}
		}
	})
	if len(asked) != 0 {
		t.Errorf("20 requests of a known account asked Stripe: %q", asked)
	}
}

func TestWhatATokenMayDo(t *testing.T) {
	f := newFleet(t, 1)
	r := f.replicas[0]
	ada := r.signIn(t)
	whole, reader := r.token(t, ada, `name:"deploy" expiresInDays:1`), r.token(t, ada, `name:"look" readOnly:true clientMutationID:"once"`)
	const revoke = `mutation{revokeAccessTokens(input:{}){clientMutationID}}`
	tests := []struct {
		reason, header, query string
		status                int
		code                  string
	}{
		{"a reader reads", reader, `{viewer{login}}`, 200, ""},
		{"and changes nothing", reader, revoke, 403, "FORBIDDEN"},
		{"no token makes a token", whole, `mutation{createAccessToken(input:{name:"more"}){token}}`, 200, "FORBIDDEN"},
		{"nobody has none", "", `mutation{createAccessToken(input:{name:"more"}){token}}`, 200, "UNAUTHENTICATED"},
		{"nor has tokens that end", "", revoke, 200, "UNAUTHENTICATED"},
		{"a name is needed", ada, `mutation{createAccessToken(input:{name:""}){token}}`, 200, "BAD_USER_INPUT"},
		{"a year is the most", ada, `mutation{createAccessToken(input:{name:"x" expiresInDays:366}){token}}`, 200, "BAD_USER_INPUT"},
		{"a token may end them all", whole, revoke, 200, ""},
		{"itself too", whole, `{viewer{login}}`, 401, "UNAUTHENTICATED"},
		{"and the reader", reader, `{viewer{login}}`, 401, "UNAUTHENTICATED"},
		{"sessions go on", ada, `{viewer{login}}`, 200, ""},
	}
	for _, test := range tests {
		if got := r.query(t, test.query, test.header); got.status != test.status || got.code(t) != test.code {
			t.Errorf("%s: %d %s, want %d %s", test.reason, got.status, got.body, test.status, test.code)
		}
	}
	made, ended := r.audits(t, "createAccessToken"), r.audits(t, "revokeAccessTokens")
	var lines []map[string]any
	for _, line := range append(made, ended...) {
		for _, name := range []string{"id", "token", "expires"} {
			if line[name] != nil {
				line[name] = "some"
			}
		}
		lines = append(lines, line)
	}
	want := []map[string]any{
		{"who": "ada", "what": "createAccessToken", "allowed": true, "id": "some", "name": "deploy", "readOnly": false, "expires": "some"},
		{"who": "ada", "what": "createAccessToken", "allowed": true, "id": "some", "name": "look", "readOnly": true, "expires": "some"},
		{"who": "ada", "what": "createAccessToken", "allowed": false, "token": "some"},
		{"who": "ada", "what": "revokeAccessTokens", "allowed": true, "token": "some"},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("audit lines (-want +got):\n%s", diff)
	}
	r.unwritten(t, strings.TrimPrefix(whole, "Authorization: Bearer "), strings.TrimPrefix(reader, "Authorization: Bearer "))
}

// TestTheSameRevocationAgain ends nothing more: not the tokens that were made since.
func TestTheSameRevocationAgain(t *testing.T) {
	f := newFleet(t, 2)
	here, there := f.replicas[0], f.replicas[1]
	ada := here.signIn(t)
	before := here.token(t, ada, `name:"before"`)
	const once = `mutation{revokeAccessTokens(input:{clientMutationID:"once"}){clientMutationID}}`
	here.query(t, once, ada)
	after := here.token(t, ada, `name:"after"`)
	if got := there.query(t, once, ada); got.status != http.StatusOK || got.code(t) != "" {
		t.Errorf("again: %d %s", got.status, got.body)
	}
	for _, r := range f.replicas {
		if got := r.query(t, "{viewer{login}}", before); got.status != http.StatusUnauthorized {
			t.Errorf("a token from before: %d %s", got.status, got.body)
		}
		if got := r.query(t, "{viewer{login}}", after); got.login(t) != "ada" {
			t.Errorf("a token from after: %d %s", got.status, got.body)
		}
	}
}

// TestReadersOnAWebSocket: also there a reader changes nothing.
func TestReadersOnAWebSocket(t *testing.T) {
	f := newFleet(t, 1)
	r := f.replicas[0]
	s := r.dial(t, r.token(t, r.signIn(t), `name:"look" readOnly:true`))
	s.begin()
	s.subscribe("1", `{viewer{login}}`)
	if got := string(s.expect("next", "1")); !strings.Contains(got, `"ada"`) {
		t.Errorf("reading: %s", got)
	}
	s.expect("complete", "1")
	s.subscribe("2", `mutation{revokeAccessTokens(input:{}){clientMutationID}}`)
	if got := string(s.expect("error", "2")); !strings.Contains(got, "FORBIDDEN") {
		t.Errorf("changing: %s", got)
	}
}

// TestRevocationEndsStreams: whoever has a stream open by a token, on whichever replica,
// is out within a second; who came by a session stays.
func TestRevocationEndsStreams(t *testing.T) {
	f := newFleet(t, 3)
	here := f.replicas[0]
	ada := here.signIn(t)
	token := here.token(t, ada, `name:"ci"`)
	var sockets []*socket
	var bodies []chan string
	for _, r := range f.replicas {
		s := r.dial(t, token)
		s.begin()
		s.subscribe("1", "subscription{viewerChanged{login}}")
		s.expect("next", "1")
		sockets = append(sockets, s)
		body := make(chan string, 1)
		go func() { body <- r.follow(t.Context(), token) }()
		bodies = append(bodies, body)
	}
	mine := f.replicas[1].dial(t, ada)
	mine.begin()
	mine.subscribe("1", "subscription{viewerChanged{login}}")
	mine.expect("next", "1")
	for _, r := range f.replicas {
		eventually(t, "both streams are open", func() bool {
			shown := r.send(t, http.MethodGet, "/metrics", "").body
			return strings.Contains(shown, `drydock_graphql_subscriptions{transport="sse"} 1`)
		})
	}

	began := time.Now()
	here.revoke(t, ada)
	for i, s := range sockets {
		s.expectClose(4403)
		if body := <-bodies[i]; !strings.Contains(body, "UNAUTHENTICATED") || !strings.HasSuffix(body, "event: complete\ndata:\n\n") {
			t.Errorf("an event stream of replica %d: %s", i, body)
		}
	}
	t.Logf("it took %s", time.Since(began))
	for i, r := range f.replicas {
		if got := r.query(t, "{viewer{login}}", token); got.status != http.StatusUnauthorized || !strings.Contains(got.body, "revoked") {
			t.Errorf("replica %d: %d %s", i, got.status, got.body)
		}
		if _, err := r.tryDial(t, "graphql-transport-ws", token); err == nil || !strings.Contains(err.Error(), "status 401") {
			t.Errorf("replica %d: a WebSocket by a void token: %v", i, err)
		}
		if got := r.query(t, "{viewer{login}}", here.token(t, ada, `name:"next"`)); got.login(t) != "ada" {
			t.Errorf("replica %d: a token made since: %d %s", i, got.status, got.body)
		}
	}
	mine.subscribe("2", "{viewer{login}}")
	for { // changes of the account may come first
		_, text, err := mine.conn.Read(t.Context())
		if err != nil {
			t.Fatalf("the session's stream: %v", err)
		}
		if strings.Contains(string(text), `"id":"2"`) {
			break
		}
	}
}

// follow reads an event stream of viewerChanged until it ends.
func (w *world) follow(ctx context.Context, header string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL+"/graphql", strings.NewReader(`{"query":"subscription{viewerChanged{login}}"}`))
	if err != nil {
		return err.Error()
	}
	name, value, _ := strings.Cut(header, ": ")
	request.Header.Set(name, value)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	answer, err := w.Client().Do(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	var text strings.Builder
	if _, err := io.Copy(&text, answer.Body); err != nil {
		return text.String() + err.Error()
	}
	return text.String()
}

// TestDeletedAccountsAreOut: a customer deleted at Stripe is out when the replica hears of
// it, by whatever way it came in.
func TestDeletedAccountsAreOut(t *testing.T) {
	f := newFleet(t, 1)
	r := f.replicas[0]
	ada := r.signIn(t)
	token := r.token(t, ada, `name:"ci"`)
	var open []*socket
	for _, header := range []string{token, ada} {
		s := r.dial(t, header)
		s.begin()
		open = append(open, s)
	}
	account, err := r.money.Account(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, f.stripe.URL+"/v1/customers/"+account.CustomerID, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("sk_test_operator", "")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	if err := r.money.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range open {
		s.expectClose(4403)
	}
	if got := r.query(t, "{viewer{login}}", token); got.status != http.StatusUnauthorized {
		t.Errorf("%d %s", got.status, got.body)
	}
	// Somebody else takes the login: the token is not the new account's.
	r.signIn(t)
	if got := r.query(t, "{viewer{login}}", token); got.status != http.StatusUnauthorized {
		t.Errorf("the login's next account: %d %s", got.status, got.body)
	}
}

// TestNobodyKnowsWhoAsks: a token whose account cannot be read is not refused; one that is
// known goes on.
func TestNobodyKnowsWhoAsks(t *testing.T) {
	f := newFleet(t, 1)
	warm := f.replicas[0]
	token := warm.token(t, warm.signIn(t), `name:"ci"`)
	if got := warm.query(t, "{viewer{login}}", token); got.login(t) != "ada" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	cold := f.join(t)
	for _, r := range f.replicas {
		r.cut.Store(true)
	}
	if got := warm.query(t, "{viewer{login}}", token); got.status != http.StatusOK || got.login(t) != "ada" {
		t.Errorf("a replica that knows the account: %d %s", got.status, got.body)
	}
	for reason, header := range map[string][]string{
		"a token":        {token},
		"a proxy's user": {"X-Forwarded-User: ada", auth.SecretHeader + ": " + proxySecret},
	} {
		got := cold.query(t, "{viewer{login}}", header...)
		if got.status != http.StatusServiceUnavailable || got.code(t) != "UNAVAILABLE" || got.header.Get("Retry-After") == "" {
			t.Errorf("%s, at a replica that does not know the account: %d %s", reason, got.status, got.body)
		}
	}
	if _, err := cold.tryDial(t, "graphql-transport-ws", token); err == nil || !strings.Contains(err.Error(), "status 503") {
		t.Errorf("a WebSocket: %v", err)
	}
}
