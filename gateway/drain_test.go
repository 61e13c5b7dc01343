package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"drydock.dev/drydock/gateway"
)

func TestDrain(t *testing.T) {
	w := serve(t, nil)
	cookie := w.signIn(t)
	s := w.dial(t, cookie)
	s.begin()
	s.subscribe("1", "subscription{viewerChanged{login}}")
	s.expect("next", "1")
	stream := w.stream(t, cookie)
	for stream.Scan() && !strings.HasPrefix(stream.Text(), "data:") {
	}

	drained := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		drained <- w.gateway.Drain(ctx)
	}()
	s.expectClose(websocket.StatusServiceRestart)
	for stream.Scan() {
		if strings.Contains(stream.Text(), "complete") {
			t.Error("a complete event would tell the client not to come again")
		}
	}
	if err := stream.Err(); err != nil {
		t.Errorf("the event stream did not end cleanly: %v", err)
	}
	if err := <-drained; err != nil {
		t.Fatalf("drain: %v", err)
	}

	if got := w.send(t, "GET", "/readyz", ""); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, `"draining":true`) {
		t.Errorf("readyz: %d %s", got.status, got.body)
	}
	if got := w.send(t, "GET", "/livez", ""); got.status != http.StatusOK {
		t.Errorf("livez: %d", got.status)
	}
	if got := w.query(t, "{viewer{login}}", cookie); got.status != http.StatusOK || got.code(t) != "" {
		t.Errorf("a request that came is served: %d %s", got.status, got.body)
	}
	if got := w.query(t, "subscription{viewerChanged{login}}", cookie, "Accept: text/event-stream"); got.status != http.StatusServiceUnavailable || got.code(t) != "UNAVAILABLE" {
		t.Errorf("a new stream: %d %s", got.status, got.body)
	}
	if _, err := w.tryDial(t, "graphql-transport-ws"); err == nil || !strings.Contains(err.Error(), "status 503") {
		t.Errorf("a new WebSocket: %v", err)
	}
}

func TestDrainIsBounded(t *testing.T) {
	w := serve(t, nil)
	s := w.dial(t)
	s.begin()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.gateway.Drain(ctx); err == nil {
		t.Error("a drain that has no time must say so")
	}
	s.expectClose(websocket.StatusServiceRestart)
}

func TestOptionsAreChecked(t *testing.T) {
	if _, err := gateway.New(gateway.Options{}); err == nil {
		t.Error("a gateway of nothing")
	}
}
