package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"

	"drydock.dev/drydock/fault"
)

// subprotocol is https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
const subprotocol = "graphql-transport-ws"

// Close codes of the subprotocol.
const (
	closeInvalid     websocket.StatusCode = 4400
	closeNotInit     websocket.StatusCode = 4401
	closeExpired     websocket.StatusCode = 4403
	closeProtocol    websocket.StatusCode = 4406
	closeInitTimeout websocket.StatusCode = 4408
	closeDuplicate   websocket.StatusCode = 4409
	closeInitTwice   websocket.StatusCode = 4429
)

// webSocket takes operations, subscriptions foremost, over a WebSocket.
type webSocket struct{ *Gateway }

// Supports tells whether a request wants a WebSocket.
func (webSocket) Supports(r *http.Request) bool { return r.Header.Get("Upgrade") != "" }

// Do serves a connection until it ends. Pages of other sites are refused by Origin.
func (g webSocket) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if g.streams.isDraining() {
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, string(fault.Unavailable), "This server is about to end: connect again.")
		return
	}
	recordOf(r.Context()).stream = true
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:   []string{subprotocol},
		OriginPatterns: []string{g.PublicURL.Host},
	})
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }() // after a close handshake there is nothing left to close
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &socket{Gateway: g.Gateway, conn: conn, exec: exec, ctx: ctx, cancel: cancel, active: map[string]context.CancelFunc{}}
	done, ok := g.streams.add(func() { s.close(websocket.StatusServiceRestart, "this server is about to end: connect again") })
	if !ok {
		s.close(websocket.StatusServiceRestart, "this server is about to end: connect again")
		return
	}
	defer done()
	g.metrics.sockets.Inc()
	defer g.metrics.sockets.Dec()
	s.run()
	cancel()
	s.operations.Wait()
}

// socket is one connection.
type socket struct {
	*Gateway
	conn *websocket.Conn
	exec graphql.GraphExecutor
	ctx  context.Context // the connection's: its request, its viewer
	// cancel ends the operations at once.
	cancel context.CancelFunc

	acknowledged atomic.Bool
	taken        atomic.Int64 // messages that the client took, as far as the kernel tells
	mu           sync.Mutex
	active       map[string]context.CancelFunc // operations by the client's id
	operations   sync.WaitGroup
}

// message is a frame of the subprotocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// run reads messages until the connection ends.
func (s *socket) run() {
	if s.conn.Subprotocol() != subprotocol {
		s.close(closeProtocol, "ask for the subprotocol "+subprotocol)
		return
	}
	s.conn.SetReadLimit(s.Limits.BodyBytes)
	initTimer := time.AfterFunc(s.Limits.InitTimeout, func() {
		if !s.acknowledged.Load() {
			s.close(closeInitTimeout, "connection_init did not come in time")
		}
	})
	defer initTimer.Stop()
	if left, ok := s.sessionLeft(s.ctx); ok {
		expiry := time.AfterFunc(left, func() { s.close(closeExpired, "the session has ended: connect again") })
		defer expiry.Stop()
	}
	s.follow(s.ctx, func(why error) {
		s.cancel() // not one response more
		s.close(closeExpired, fault.PublicOf(why))
	})
	go s.keepAlive()
	for {
		_, text, err := s.conn.Read(context.WithoutCancel(s.ctx))
		if err != nil {
			return
		}
		if code, reason := s.handle(text); code != 0 {
			s.close(code, reason)
			return
		}
	}
}

// handle acts on a message; a code other than 0 tells to close the connection.
func (s *socket) handle(text []byte) (code websocket.StatusCode, reason string) {
	var m message
	if decode(text, &m) != nil {
		return closeInvalid, "messages are JSON objects with a type"
	}
	switch m.Type {
	case "connection_init":
		if s.acknowledged.Swap(true) {
			return closeInitTwice, "connection_init came twice"
		}
		s.send(message{Type: "connection_ack"})
	case "ping":
		s.send(message{Type: "pong", Payload: m.Payload})
	case "pong":
	case "subscribe":
		return s.subscribe(m)
	case "complete":
		s.mu.Lock()
		if cancel, ok := s.active[m.ID]; ok {
			cancel()
		}
		s.mu.Unlock()
	default:
		return closeInvalid, "there is no such type of message"
	}
	return 0, ""
}

// send writes a message; a client that does not take it in time loses the connection.
func (s *socket) send(m message) {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // payloads are JSON already
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), writeTime)
	defer cancel()
	if s.conn.Write(ctx, websocket.MessageText, text) == nil { // the reader notices a broken connection
		s.taken.Add(1)
	}
}

// pongPatience is for how many times Limits.KeepAlive a pong is waited for.
const pongPatience = 3

// keepAlive pings, so that proxies see life and the dead are noticed: who neither answers
// nor takes a message. The pong of a slow client comes after all that is ahead of the ping.
func (s *socket) keepAlive() {
	ticker := time.NewTicker(s.Limits.KeepAlive)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
			taken := s.taken.Load()
			ctx, cancel := context.WithTimeout(s.ctx, pongPatience*s.Limits.KeepAlive)
			err := s.conn.Ping(ctx)
			cancel()
			if err != nil && s.taken.Load() == taken {
				_ = s.conn.CloseNow() // no pong: nobody is there to hear a reason
				return
			}
		}
	}
}

// close ends the connection with a reason, once.
func (s *socket) close(code websocket.StatusCode, reason string) {
	_ = s.conn.Close(code, reason) // a client that is gone needs no reason
}
