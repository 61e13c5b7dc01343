package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// plainHTTP takes operations by POST and queries by GET
// (https://graphql.github.io/graphql-over-http/draft), and answers once, or with
// server-sent events.
type plainHTTP struct{ *Gateway }

// Supports tells whether a request is plain HTTP.
func (plainHTTP) Supports(r *http.Request) bool { return r.Header.Get("Upgrade") == "" }

// Do serves one operation.
func (g plainHTTP) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	params, refused := g.readParams(w, r)
	if refused != nil {
		g.refuse(w, r, refused.status, refused.words)
		return
	}
	media, events := accepted(r)
	ctx := r.Context()
	record := recordOf(ctx)
	oc, list := exec.CreateOperationContext(ctx, params)
	record.operation(oc)
	ctx = graphql.WithOperationContext(ctx, oc)
	if list != nil {
		list = refusals(list)
		if media == mediaEvents {
			media = mediaJSON
		}
		write(w, statusOf(list, media), media, exec.DispatchError(ctx, list))
		g.measured(record)
		return
	}
	kind := oc.Operation.Operation
	switch {
	case r.Method == http.MethodGet && kind == ast.Mutation:
		w.Header().Set("Allow", "POST")
		g.refuse(w, r, http.StatusMethodNotAllowed, "Send mutations by POST.")
	case media == mediaEvents, kind == ast.Subscription && events:
		g.stream(ctx, w, exec, oc)
	case kind == ast.Subscription:
		g.refuse(w, r, http.StatusNotAcceptable, "Subscriptions need a WebSocket (graphql-transport-ws), or Accept: text/event-stream.")
	default:
		responses, ctx := exec.DispatchOperation(ctx, oc)
		write(w, http.StatusOK, media, answered(ctx, exec, responses(ctx)))
	}
	g.measured(record)
}

// answered is a response that is there: gqlgen gives none when the context ended before
// the operation began.
func answered(ctx context.Context, exec graphql.GraphExecutor, response *graphql.Response) *graphql.Response {
	if response != nil {
		return response
	}
	return exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(context.Cause(ctx))})
}

// measured counts an operation that is over.
func (g *Gateway) measured(record *record) {
	kind := record.kind
	if kind == "" {
		kind = "unknown"
	}
	g.metrics.operations.WithLabelValues(kind, record.outcome()).Inc()
	if kind == string(ast.Query) || kind == string(ast.Mutation) {
		g.metrics.operationSeconds.WithLabelValues(kind).Observe(g.Now().Sub(record.started).Seconds())
	}
}

func write(w http.ResponseWriter, status int, media string, response *graphql.Response) {
	body := encode(response)
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// encode writes a response out. Its data is JSON already, checked and compact: where
// there is nothing else, nobody looks at it again.
func encode(response *graphql.Response) []byte {
	if len(response.Errors) == 0 && len(response.Extensions) == 0 && len(response.Data) > 0 && response.HasNext == nil && response.Path == nil {
		body := make([]byte, 0, len(response.Data)+len(`{"data":}`))
		body = append(body, `{"data":`...)
		body = append(body, response.Data...)
		return append(body, '}')
	}
	body, err := json.Marshal(response)
	if err != nil {
		panic(err) // a response is made of JSON already
	}
	return body
}

// sizeText is a number of bytes for people.
func sizeText(bytes int64) string {
	if bytes%(1<<20) == 0 {
		return strconv.FormatInt(bytes>>20, 10) + " MiB"
	}
	return strconv.FormatInt(bytes, 10) + " bytes"
}
