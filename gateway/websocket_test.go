package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"drydock.dev/drydock/gateway"
)

// socket is a client's end of a WebSocket.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
}

// dial opens a WebSocket; header lines are "Name: value".
func (w *world) dial(t *testing.T, header ...string) *socket {
	t.Helper()
	conn, err := w.tryDial(t, "graphql-transport-ws", header...)
	if err != nil {
		t.Fatal(err)
	}
	return &socket{t, conn}
}

func (w *world) tryDial(t *testing.T, subprotocol string, header ...string) (*websocket.Conn, error) {
	t.Helper()
	options := &websocket.DialOptions{HTTPHeader: http.Header{}, Subprotocols: []string{subprotocol}}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		options.HTTPHeader.Set(name, value)
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, w.URL+"/graphql", options)
	if response != nil && response.Body != nil {
		defer func() { _ = response.Body.Close() }()
	}
	if err != nil {
		if response == nil {
			return nil, err
		}
		return nil, fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn, nil
}

func (s *socket) send(text string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// expect reads the next message, which is of a type, about an id.
func (s *socket) expect(kind, id string) json.RawMessage {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	_, text, err := s.conn.Read(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	var got struct {
		Type, ID string
		Payload  json.RawMessage
	}
	if err := json.Unmarshal(text, &got); err != nil {
		s.t.Fatal(err)
	}
	if got.Type != kind || got.ID != id {
		s.t.Fatalf("got %s, want %s of %q", text, kind, id)
	}
	return got.Payload
}

// expectClose waits for the end of the connection.
func (s *socket) expectClose(code websocket.StatusCode) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	for {
		_, _, err := s.conn.Read(ctx)
		if err == nil {
			continue
		}
		if got := websocket.CloseStatus(err); got != code {
			s.t.Fatalf("closed by %d (%v), want %d", got, err, code)
		}
		return
	}
}

func (s *socket) begin() {
	s.t.Helper()
	s.send(`{"type":"connection_init"}`)
	s.expect("connection_ack", "")
}

func (s *socket) subscribe(id, query string) {
	s.t.Helper()
	s.send(fmt.Sprintf(`{"type":"subscribe","id":%q,"payload":{"query":%q}}`, id, query))
}

func TestWebSocket(t *testing.T) {
	w := serve(t, nil)
	s := w.dial(t, w.signIn(t))
	s.begin()
	s.subscribe("1", "subscription{viewerChanged{login}}")
	if got := string(s.expect("next", "1")); got != `{"data":{"viewerChanged":{"login":"ada"}}}` {
		t.Errorf("the cookie's viewer: %s", got)
	}
	s.subscribe("2", `subscription{buildLog(id:"b",after:5){number}}`)
	for _, number := range []string{"6", "7"} {
		if got := string(s.expect("next", "2")); got != `{"data":{"buildLog":{"number":`+number+`}}}` {
			t.Errorf("line %s: %s", number, got)
		}
	}
	s.expect("complete", "2")
	s.subscribe("2", "{viewer{login}}") // an id is free again, and queries go too
	s.expect("next", "2")
	s.expect("complete", "2")
	s.send(`{"type":"ping","payload":{"a":1}}`)
	if got := string(s.expect("pong", "")); got != `{"a":1}` {
		t.Errorf("pong: %s", got)
	}
	s.send(`{"type":"complete","id":"1"}`)
	s.send(`{"type":"complete","id":"unknown"}`)
	eventually(t, "the subscription is over", func() bool {
		return strings.Contains(w.send(t, "GET", "/metrics", "").body, `drydock_graphql_subscriptions{transport="websocket"} 0`)
	})
	eventually(t, "the operation's line", func() bool {
		for _, line := range w.log.lines(t, "operation") {
			if line["operationType"] == "subscription" && line["viewer"] == "ada" && line["responses"] == 1.0 {
				return true
			}
		}
		return false
	})
}

func TestWebSocketErrors(t *testing.T) {
	w := serve(t, func(o *gateway.Options) { o.Limits.Subscriptions = 2 })
	s := w.dial(t)
	s.begin()
	tests := []struct{ reason, query, kind, code string }{
		{"no GraphQL", "{", "error", "GRAPHQL_PARSE_FAILED"},
		{"an unknown field", "{nothing}", "error", "GRAPHQL_VALIDATION_FAILED"},
		{"too deep", "{viewer{" + strings.Repeat("images{edges{node{owner{", 4) + "id" + strings.Repeat("}}}}", 4) + "}}", "error", "DEPTH_LIMIT_EXCEEDED"},
		{"signed out", "subscription{viewerChanged{login}}", "next", "UNAUTHENTICATED"},
		{"a panic in a subscription", `subscription{buildLog(id:"panic"){number}}`, "next", "INTERNAL"},
		{"a panic in a query", `{image(name:"panic"){name}}`, "next", "INTERNAL"},
	}
	for _, test := range tests {
		s.subscribe("x", test.query)
		got := string(s.expect(test.kind, "x"))
		if !strings.Contains(got, `"code":"`+test.code+`"`) || strings.Contains(got, "hunter2") {
			t.Errorf("%s: %s", test.reason, got)
		}
		if test.kind == "next" {
			s.expect("complete", "x")
		}
	}
}

func TestWebSocketHoldsSoManySubscriptions(t *testing.T) {
	w := serve(t, func(o *gateway.Options) { o.Limits.Subscriptions = 2 })
	s := w.dial(t, w.signIn(t))
	s.begin()
	for _, id := range []string{"1", "2"} {
		s.subscribe(id, "subscription{viewerChanged{login}}")
		s.expect("next", id)
	}
	s.subscribe("3", "subscription{viewerChanged{login}}")
	if got := string(s.expect("error", "3")); !strings.Contains(got, "LIMIT_EXCEEDED") {
		t.Errorf("the third: %s", got)
	}
}

func TestWebSocketProtocol(t *testing.T) {
	w := serve(t, func(o *gateway.Options) {
		o.Limits.InitTimeout = deadline
		o.Limits.BodyBytes = 1000
	})
	impatient := serve(t, func(o *gateway.Options) { o.Limits.InitTimeout = 100 * time.Millisecond })
	cookie := w.signIn(t)
	tests := []struct {
		reason string
		do     func(s *socket)
		code   websocket.StatusCode
	}{
		{"subscribing before connection_init", func(s *socket) { s.subscribe("1", "{viewer{login}}") }, 4401},
		{"connection_init twice", func(s *socket) { s.begin(); s.send(`{"type":"connection_init"}`) }, 4429},
		{"an id twice", func(s *socket) {
			s.begin()
			s.subscribe("1", "subscription{viewerChanged{login}}")
			s.subscribe("1", "subscription{viewerChanged{login}}")
		}, 4409},
		{"no JSON", func(s *socket) { s.begin(); s.send(`hello`) }, 4400},
		{"an unknown type", func(s *socket) { s.begin(); s.send(`{"type":"start"}`) }, 4400},
		{"no payload", func(s *socket) { s.begin(); s.send(`{"type":"subscribe","id":"1"}`) }, 4400},
		{"no id", func(s *socket) { s.begin(); s.send(`{"type":"subscribe","payload":{"query":"{viewer{login}}"}}`) }, 4400},
		{"an oversized message", func(s *socket) { s.begin(); s.subscribe("1", "#"+strings.Repeat("x", 2000)) }, websocket.StatusMessageTooBig},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			s := w.dial(t, cookie)
			test.do(s)
			s.expectClose(test.code)
		})
	}
	impatient.dial(t, impatient.signIn(t)).expectClose(4408) // it says nothing
	conn, err := w.tryDial(t, "graphql-ws")
	if err != nil {
		t.Fatal(err)
	}
	(&socket{t, conn}).expectClose(4406)
	eventually(t, "no connection is left", func() bool {
		return strings.Contains(w.send(t, "GET", "/metrics", "").body, "drydock_websocket_connections 0")
	})
}

func TestWebSocketOrigin(t *testing.T) {
	w := serve(t, func(o *gateway.Options) { o.PublicURL.Scheme = "http" })
	for origin, allowed := range map[string]bool{
		w.URL: true, "https://evil.example.com": false, "null": false, "http://127.0.0.1:1": false,
	} {
		_, err := w.tryDial(t, "graphql-transport-ws", "Origin: "+origin)
		if (err == nil) != allowed {
			t.Errorf("origin %s: %v", origin, err)
		}
	}
}

func TestStreamsEndWithTheSession(t *testing.T) {
	w := serve(t, func(o *gateway.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Hour - 5*time.Second) }
	})
	cookie := w.signIn(t) // the gateway's clock is so late that the session's hour is almost over
	s := w.dial(t, cookie)
	s.begin()
	s.subscribe("1", "subscription{viewerChanged{login}}")
	s.expect("next", "1")
	s.expectClose(4403)

	got := w.query(t, "subscription{viewerChanged{login}}", cookie, "Accept: text/event-stream")
	if strings.Contains(got.body, "event: complete") {
		t.Errorf("a stream that ends for its session is not complete: %s", got.body)
	}
}

func TestSilentClientsAreNoticed(t *testing.T) {
	w := serve(t, func(o *gateway.Options) { o.Limits.KeepAlive = 50 * time.Millisecond })
	s := w.dial(t)
	s.begin() // from now on nobody reads, so that no ping is answered
	eventually(t, "the connection ends", func() bool {
		return strings.Contains(w.send(t, "GET", "/metrics", "").body, "drydock_websocket_connections 0")
	})
}

// TestSlowClientsAreKept: who answers no ping for long, as there is so much ahead of it, and takes what comes, is
// there.
func TestSlowClientsAreKept(t *testing.T) {
	const keepAlive = 200 * time.Millisecond
	w := serve(t, func(o *gateway.Options) { o.Limits.KeepAlive = keepAlive })
	s := w.dial(t)
	s.begin()
	s.subscribe("1", `subscription{buildLog(id:"endless",after:0){number}}`)
	begun := time.Now() // from now on nobody reads, but there is room for small messages on the way
	eventually(t, "many pings are due", func() bool { return time.Since(begun) > 10*keepAlive })
	for number := range 100 {
		if got, want := string(s.expect("next", "1")), fmt.Sprintf(`{"data":{"buildLog":{"number":%d}}}`, number+1); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	s.send(`{"type":"ping"}`)
	for { // it is heard
		_, text, err := s.conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `"pong"`) {
			return
		}
	}
}

// TestWebSocketBeforeReady: what is followed would seem not to be there before all is read. What fails later ends nothing.
func TestWebSocketBeforeReady(t *testing.T) {
	w := serve(t, nil)
	cookie := w.signIn(t)
	follow := func(missing error) *socket {
		w.part.set(missing)
		s := w.dial(t, cookie)
		s.begin()
		s.subscribe("1", "{viewer{login}}")
		s.expect("next", "1")
		s.expect("complete", "1")
		s.subscribe("2", "subscription{viewerChanged{login}}")
		return s
	}
	follow(errors.New("builds are not read yet")).expectClose(websocket.StatusTryAgainLater)
	follow(nil).expect("next", "2")
	follow(errors.New("builds are old")).expect("next", "2")
}
