// Package gateway is Drydock's HTTP face: one list of routes, the GraphQL server
// with its limits and errors over HTTP, server-sent events and WebSocket, signing
// in, health, metrics, and the end of it all without losing a request.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/semaphore"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/badge"
)

// Options say what a gateway serves.
type Options struct {
	// Schema answers operations, and knows what its fields cost.
	Schema graphql.ExecutableSchema
	// PerResponse prepares the context of one response, which for a subscription is
	// one event: fresh loaders. May be nil.
	PerResponse func(context.Context) context.Context
	// Sessions tells who is asking, SignIn has the pages that begin and end sessions.
	Sessions *auth.Sessions
	SignIn   *auth.SignIn
	// Tokens takes access tokens, and ends the streams of those who are in no more; Trust
	// takes the word of a proxy in front. Either may be nil.
	Tokens *auth.Tokens
	Trust  *auth.Trust
	// Dev adds POST /auth/dev.
	Dev bool
	// StripeWebhook takes what Stripe delivers to POST /webhooks/stripe.
	StripeWebhook StripeWebhook
	// GitHubWebhook takes what GitHub delivers to POST /webhooks/github/{image}.
	GitHubWebhook GitHubWebhook
	// Badge is the state of an image whose badge everybody may see; public is false for any other.
	Badge func(login, image string) (state badge.State, public bool)
	// Checks are the parts that /readyz asks, by name.
	Checks map[string]Check
	// Home serves / and what no other route takes, GraphiQL serves /graphiql and below. Either may be nil.
	Home, GraphiQL http.Handler
	// Count prepares a context to count upstream calls and cache reads; what it gives
	// back tells them for the log. May be nil.
	Count func(context.Context) (context.Context, func() []slog.Attr)
	// PublicURL is where browsers find this gateway.
	PublicURL *url.URL
	// Limits bound operations; Introspection tells whether the schema may be asked for.
	Limits        Limits
	Introspection bool
	// Version is what /readyz?verbose tells.
	Version string
	Log     *slog.Logger
	// Registerer takes the gateway's metrics, Gatherer is what /metrics shows; without one there is no such page.
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Gateway serves HTTP. Drain ends it.
type Gateway struct {
	Options
	metrics *metrics
	streams *streams
	large   *semaphore.Weighted
	badges  badge.Badges
	graphql *handler.Server
	handler http.Handler
	started time.Time
	begun   atomic.Bool // once every part was ready
}

// New makes a gateway, an http.Handler. Its server needs a ReadHeaderTimeout and an
// IdleTimeout; the deadlines of bodies and answers are the gateway's.
func New(o Options) (*Gateway, error) {
	if o.Schema == nil || o.Sessions == nil || o.SignIn == nil || o.Log == nil || o.Registerer == nil || o.PublicURL == nil {
		return nil, errors.New("gateway: Schema, Sessions, SignIn, Log, Registerer and PublicURL are needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Limits = o.Limits.orDefaults()
	g := &Gateway{Options: o, metrics: newMetrics(o.Registerer), streams: newStreams(), large: semaphore.NewWeighted(largeBodies), started: o.Now()}
	g.graphql = g.newServer()
	var err error
	if g.badges, err = badge.Draw(); err != nil {
		return nil, err
	}

	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(o.PublicURL.Scheme + "://" + o.PublicURL.Host); err != nil {
		return nil, err
	}
	protection.AddInsecureBypassPattern(stripePath) // signed: who sends it does not matter
	protection.AddInsecureBypassPattern(GitHubPath + "/{image}")
	protection.SetDenyHandler(http.HandlerFunc(refuseOrigin))
	g.handler = g.recorded(g.secured(protection.Handler(o.Sessions.Handler(g.routes()))))
	return g, nil
}

// ServeHTTP serves every route.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.handler.ServeHTTP(w, r) }

// routes is the one list of what is served where.
func (g *Gateway) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h http.Handler) { mux.Handle(pattern, routed(pattern, h)) }
	post := func(path string, h http.Handler) {
		handle("POST "+path, h)
		handle(path, http.HandlerFunc(onlyPost)) // else Home would take them
	}

	handle("/graphql", g.identified(http.HandlerFunc(g.serveGraphQL)))
	handle("GET "+logPath, g.identified(g.graphql))
	handle("GET /auth/github", http.HandlerFunc(g.SignIn.Begin))
	handle("GET /auth/github/callback", http.HandlerFunc(g.SignIn.Callback))
	post("/auth/logout", http.HandlerFunc(g.SignIn.Out))
	if g.Dev {
		post("/auth/dev", http.HandlerFunc(g.SignIn.Dev))
	}
	post(stripePath, http.HandlerFunc(g.serveStripe))
	post(GitHubPath+"/{image}", http.HandlerFunc(g.serveGitHub))
	handle("GET "+badgePath+"/{login}/{image}", http.HandlerFunc(g.serveBadge))
	handle("GET /livez", http.HandlerFunc(livez))
	handle("GET /readyz", http.HandlerFunc(g.readyz))
	if g.Gatherer != nil {
		handle("GET /metrics", promhttp.HandlerFor(g.Gatherer, promhttp.HandlerOpts{}))
	}
	if g.GraphiQL != nil {
		handle("GET /graphiql", g.GraphiQL)
		handle("GET /graphiql/", g.GraphiQL)
	}
	if g.Home != nil {
		handle("/", g.Home)
	}
	return mux
}

// onlyPost answers a request by another method: a link, for one, which would be forgery.
func onlyPost(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", http.MethodPost)
	http.Error(w, "send this by POST", http.StatusMethodNotAllowed)
}

// routed notes which route a request took, for the log and the metrics.
func routed(pattern string, next http.Handler) http.Handler {
	_, path, _ := strings.Cut(pattern, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		record := recordOf(r.Context())
		record.route = "/" + path
		if viewer, ok := auth.ViewerFrom(r.Context()); ok {
			record.signedIn(viewer)
		}
		next.ServeHTTP(w, r)
	})
}
