package gateway

import (
	"context"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"drydock.dev/drydock/fault"
)

const (
	// cachedDocuments and cachedQueries bound the document cache and the persisted queries.
	cachedDocuments, cachedQueries = 1_000, 1_000
	// cachedBytes is the longest query that either keeps.
	cachedBytes = 16_000
)

// newServer puts gqlgen's server together: our transports, its executor. The order of the
// extensions matters: what bounds the work comes before what does it.
func (g *Gateway) newServer() *handler.Server {
	server := handler.New(g.Schema)
	server.AddTransport(logText{g})
	server.AddTransport(webSocket{g})
	server.AddTransport(plainHTTP{g})

	documents := shortKeys[*ast.QueryDocument]{lru.New[*ast.QueryDocument](cachedDocuments)}
	server.SetParserTokenLimit(g.Limits.Tokens)
	server.SetQueryCache(documents)
	server.Use(queryLimit(g.Limits.QueryBytes))
	server.Use(extension.AutomaticPersistedQuery{Cache: shortQueries{lru.New[string](cachedQueries)}})
	server.Use(documentLimit{tokens: g.Limits.Tokens, cache: documents})
	server.Use(depthLimit{limit: g.Limits.Depth, introspection: g.Introspection})
	server.Use(extension.FixedComplexityLimit(g.Limits.Complexity))
	server.Use(readOnly{})
	if g.Introspection {
		server.Use(extension.Introspection{})
	}
	server.AroundOperations(g.withDeadline)
	server.AroundResponses(g.prepared)
	server.AroundResponses(telling)
	server.SetErrorPresenter(g.present)
	server.SetRecoverFunc(g.recovered)
	return server
}

// serveGraphQL sends a request to its transport, or says how to send it.
func (g *Gateway) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, POST")
		g.refuse(w, r, http.StatusMethodNotAllowed, "Send a query by POST, or by GET.")
	case r.Method == http.MethodGet && r.Header.Get("Upgrade") == "" && strings.Contains(r.Header.Get("Accept"), "text/html"):
		http.Redirect(w, r, "/graphiql", http.StatusSeeOther) // somebody typed the address into a browser
	default:
		g.graphql.ServeHTTP(w, r)
	}
}

// withDeadline bounds queries and mutations in time; subscriptions last.
func (g *Gateway) withDeadline(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription {
		return next(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, g.Limits.Timeout)
	responses := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		defer cancel()
		return responses(ctx)
	}
}

// prepared gives each response fresh loaders: they remember what they read, and what
// they read grows old.
func (g *Gateway) prepared(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if g.PerResponse != nil {
		ctx = g.PerResponse(ctx)
	}
	return next(ctx)
}

// queryLimit bounds the length of a document in bytes.
type queryLimit int

// ExtensionName serves gqlgen.
func (queryLimit) ExtensionName() string { return "QueryLimit" }

// Validate serves gqlgen.
func (queryLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters refuses a document that is too long.
func (q queryLimit) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	if len(params.Query) > int(q) {
		return coded(codeTooLarge, "The query has %d bytes, and %d are allowed: send values as variables, and ask for less at once.", len(params.Query), q)
	}
	if params.Query == "" && params.Extensions["persistedQuery"] == nil {
		return coded(string(fault.BadUserInput), "The request has no query.")
	}
	return nil
}

// shortKeys keeps long queries out of the document cache: memory stays bounded.
type shortKeys[T any] struct{ graphql.Cache[T] }

// Add keeps a value under a short key.
func (c shortKeys[T]) Add(ctx context.Context, key string, value T) {
	if len(key) <= cachedBytes {
		c.Cache.Add(ctx, key, value)
	}
}

// shortQueries keeps long queries out of the persisted ones.
type shortQueries struct{ graphql.Cache[string] }

// Add keeps a short query.
func (c shortQueries) Add(ctx context.Context, hash, query string) {
	if len(query) <= cachedBytes {
		c.Cache.Add(ctx, hash, query)
	}
}
