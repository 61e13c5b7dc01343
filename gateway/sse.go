package gateway

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
)

// writeTime is how long one event may take to reach a client. One that reads slowly, and
// steadily, may take none for long: its kernel opens a window again once a good part of a
// large buffer is free.
const writeTime = time.Minute

// stream answers an operation with server-sent events, in the distinct connections mode
// of https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. A stream that
// ends without a complete event asks its client to connect again.
func (g *Gateway) stream(ctx context.Context, w http.ResponseWriter, exec graphql.GraphExecutor, oc *graphql.OperationContext) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ctx, cancel := g.untilExpiry(ctx)
	defer cancel()
	if oc.Operation.Operation == ast.Subscription && !g.hasBegun() {
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, string(fault.Unavailable), justBegun)
		return
	}
	done, ok := g.streams.add(cancel)
	if !ok {
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, string(fault.Unavailable), "This server is about to end: connect again.")
		return
	}
	defer done()
	recordOf(ctx).stream = true
	subscribers := g.metrics.subscribers.WithLabelValues("sse")
	subscribers.Inc()
	defer subscribers.Dec()

	w.Header().Set("Content-Type", mediaEvents)
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	events := &eventStream{w: w, control: http.NewResponseController(w), cancel: cancel}
	events.send(": connected\n\n")
	defer events.keepAlive(g.Limits.KeepAlive)()
	g.follow(ctx, stop)

	responses, running := exec.DispatchOperation(ctx, oc)
	for response := responses(running); response != nil; response = responses(running) {
		events.send(fmt.Sprintf("event: next\ndata: %s\n\n", encode(response)))
		g.metrics.events.WithLabelValues("sse").Inc()
	}
	if why := context.Cause(ctx); why != nil && fault.KindOf(why) == fault.Unauthenticated { // to connect again would not help
		events.send(fmt.Sprintf("event: next\ndata: %s\n\n", encode(exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(why)}))))
		events.send("event: complete\ndata:\n\n")
	} else if ctx.Err() == nil {
		events.send("event: complete\ndata:\n\n")
	}
}

// untilExpiry bounds a context by the viewer's session: a stream ends with it.
func (g *Gateway) untilExpiry(ctx context.Context) (context.Context, context.CancelFunc) {
	if left, ok := g.sessionLeft(ctx); ok {
		return context.WithTimeout(ctx, left)
	}
	return context.WithCancel(ctx)
}

// sessionLeft is how long the viewer's session lasts; ok is false when signed out.
func (g *Gateway) sessionLeft(ctx context.Context) (left time.Duration, ok bool) {
	viewer, ok := auth.ViewerFrom(ctx)
	return viewer.Expires.Sub(g.Now()), ok
}

// eventStream writes events one after the other, each to arrive in writeTime.
type eventStream struct {
	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
	cancel  context.CancelFunc
}

// send writes text; a client that does not take it ends the stream.
func (e *eventStream) send(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.control.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := e.w.Write([]byte(text)); err != nil {
		e.cancel()
		return
	}
	if err := e.control.Flush(); err != nil {
		e.cancel()
	}
}

// keepAlive sends comments until it is stopped, so that proxies see life.
func (e *eventStream) keepAlive(every time.Duration) (stop func()) {
	ticker, end, ended := time.NewTicker(every), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			case <-ticker.C:
				e.send(":\n\n")
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(end)
		<-ended
	}
}
