package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"drydock.dev/drydock/fault"
)

// subscribe begins an operation of a socket in a goroutine of its own.
func (s *socket) subscribe(m message) (code websocket.StatusCode, reason string) {
	if !s.acknowledged.Load() {
		return closeNotInit, "connection_init comes first"
	}
	params := &graphql.RawParams{}
	if m.ID == "" || decode(m.Payload, params) != nil {
		return closeInvalid, "subscribe has an id, and a payload with a query"
	}
	ctx, cancel := context.WithCancel(s.ctx)
	s.mu.Lock()
	_, taken := s.active[m.ID]
	open := len(s.active)
	if !taken && open < s.Limits.Subscriptions {
		s.active[m.ID] = cancel
	}
	s.mu.Unlock()
	switch {
	case taken:
		cancel()
		return closeDuplicate, "there is a subscriber of that id already"
	case open >= s.Limits.Subscriptions:
		cancel()
		s.send(*refused(m.ID, gqlerror.List{coded(string(fault.LimitExceeded),
			"This connection has %d operations open, and no more are allowed: complete one first.", open)}))
		return 0, ""
	}
	s.operations.Go(func() {
		last := s.operate(ctx, m.ID, params)
		cancel()
		s.mu.Lock()
		delete(s.active, m.ID) // before the last message: then the client may use the id again
		s.mu.Unlock()
		if last != nil {
			s.send(*last)
		}
	})
	return 0, ""
}

// operate runs an operation and sends its responses. last is the message that tells the
// client its end; nil when the client ended it.
func (s *socket) operate(ctx context.Context, id string, params *graphql.RawParams) (last *message) {
	connection := recordOf(s.ctx)
	record := &record{requestID: connection.requestID, viewer: connection.viewer, token: connection.token, route: connection.route, started: s.Now()}
	ctx = context.WithValue(ctx, recordKey{}, record)
	counts := func() []slog.Attr { return nil }
	if s.Count != nil {
		ctx, counts = s.Count(ctx)
	}
	sent := 0
	defer func() {
		if failure := recover(); failure != nil {
			s.Log.ErrorContext(ctx, "panic", "requestId", record.requestID, "panic", fmt.Sprint(failure), "stack", string(debug.Stack()))
			record.code(string(fault.Internal))
			last = refused(id, gqlerror.List{coded(string(fault.Internal), "%s", fault.Wrap(fault.Internal, nil).Public())})
		}
		s.measured(record)
		attributes := append(record.attributes(s.Now().Sub(record.started)), slog.String("transport", "websocket"), slog.Int("responses", sent))
		s.Log.LogAttrs(ctx, record.level(0), "operation", append(attributes, counts()...)...)
	}()

	ctx = graphql.StartOperationTrace(ctx)
	oc, list := s.exec.CreateOperationContext(ctx, params)
	record.operation(oc)
	ctx = graphql.WithOperationContext(ctx, oc)
	if list != nil {
		return refused(id, s.exec.DispatchError(ctx, refusals(list)).Errors)
	}
	if oc.Operation.Operation == ast.Subscription {
		if !s.hasBegun() {
			s.close(websocket.StatusTryAgainLater, justBegun)
			return nil
		}
		subscribers := s.metrics.subscribers.WithLabelValues("websocket")
		subscribers.Inc()
		defer subscribers.Dec()
	}
	responses, running := s.exec.DispatchOperation(ctx, oc)
	for response := responses(running); response != nil; response = responses(running) {
		s.send(message{ID: id, Type: "next", Payload: encode(response)})
		s.metrics.events.WithLabelValues("websocket").Inc()
		sent++
	}
	if ctx.Err() != nil {
		return nil
	}
	return &message{ID: id, Type: "complete"}
}

// refused ends an operation with errors.
func refused(id string, list gqlerror.List) *message {
	payload, err := json.Marshal(list)
	if err != nil {
		panic(err) // errors are plain values
	}
	return &message{ID: id, Type: "error", Payload: payload}
}
