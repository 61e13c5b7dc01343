package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/gateway"
	"drydock.dev/drydock/graph"
	"drydock.dev/drydock/loaders"
	"drydock.dev/drydock/push"
	registries "drydock.dev/drydock/registry"
	"drydock.dev/drydock/repository"
	"drydock.dev/drydock/resolvers"
	"drydock.dev/drydock/tally"
	"drydock.dev/drydock/transport"
	"drydock.dev/drydock/web"
)

// githubTimeout bounds a request to GitHub.
const githubTimeout = 10 * time.Second

// newGateway wires the parts: who reads what from whom.
func newGateway(c *config, public *url.URL, clients *clients, log *slog.Logger, registry *prometheus.Registry) (*gateway.Gateway, error) {
	money, kube := clients.money, clients.kube
	signIn, err := newSignIn(c, public, money, log, registry)
	if err != nil {
		return nil, err
	}
	trust, err := c.newTrust(money, log)
	if err != nil {
		return nil, err
	}
	tokens := auth.NewTokens(c.keys, money, time.Now)
	logins, err := registries.NewLogins(registries.Options{
		Rules:      c.registryRules(),
		Registerer: registry,
	})
	if err != nil {
		return nil, err
	}
	offer := web.SignIn{Dev: c.dev, GitHub: signIn.GitHub != nil}
	app, err := web.App(offer)
	if err != nil {
		return nil, err
	}
	explorer, err := web.GraphiQL(offer)
	if err != nil {
		return nil, err
	}
	pushes := push.New(push.Options{Images: kube, Builds: kube, Accounts: money, Keys: c.signing.Keys, Log: log})
	var shown prometheus.Gatherer // on the public address
	if c.metricsListen == "" {
		shown = registry
	}
	sources := loaders.Sources{Accounts: money, Images: kube, Builds: kube}
	return gateway.New(gateway.Options{
		Schema: graph.NewExecutableSchema(resolvers.New(resolvers.Options{
			Accounts: money, Plans: money, Images: kube, Builds: kube, Logs: kube, Watches: kube, Tokens: tokens,
			Money: money, PlanURL: public.JoinPath("/plan").String(), BadgeURL: public.JoinPath("/badge").String(),
			Webhooks: resolvers.Webhooks{Keeper: kube, Rules: c.webhookRules(), Keys: c.signing.Keys},

			Registries: kube, Logins: logins, Git: kube, Secrets: kube, Log: log,
			Repositories: repository.NewLogins(repository.Options{Private: c.registries.Private, Loopback: c.dev}),
			Triggers: resolvers.Triggers{
				Pushes: kube, Keys: c.signing.Keys, WebhookURL: public.JoinPath(gateway.GitHubPath).String(), MinInterval: c.triggers.MinInterval, Now: time.Now,
			},
		})),
		PerResponse:   func(ctx context.Context) context.Context { return loaders.With(ctx, loaders.New(sources)) },
		Sessions:      signIn.Sessions,
		SignIn:        signIn,
		Tokens:        tokens,
		Trust:         trust,
		Dev:           c.dev,
		Checks:        map[string]gateway.Check{"stripe": money, "kubernetes": kube, "notices": clients.notices},
		StripeWebhook: money.Webhook,
		GitHubWebhook: pushes.Take,
		Badge:         kube.Badge,
		Home:          app,
		GraphiQL:      explorer,
		Count:         counted,
		PublicURL:     public,
		Limits:        gateway.Limits{Depth: c.maxDepth, Complexity: c.maxComplexity, Timeout: c.queryTimeout},
		Introspection: c.introspection,
		Version:       version,
		Log:           log,
		Registerer:    registry,
		Gatherer:      shown,
	})
}

func newSignIn(c *config, public *url.URL, money *billing.Client, log *slog.Logger, registry *prometheus.Registry) (*auth.SignIn, error) {
	if c.generated {
		log.Warn("session keys were made up: sessions end with this process; set DRYDOCK_SESSION_KEYS to keep them")
	}
	signIn := &auth.SignIn{
		Sessions: auth.NewSessions(c.keys, c.sessionTTL, public.Scheme == "https", time.Now),
		Accounts: money,
		Log:      log,
	}
	if c.github.clientID == "" {
		return signIn, nil
	}
	metrics, err := transport.NewMetrics(registry)
	if err != nil {
		return nil, err
	}
	signIn.GitHub = auth.NewGitHub(auth.GitHubOptions{
		URL: c.github.url, ClientID: c.github.clientID, ClientSecret: c.github.clientSecret, PublicURL: public.String(),
		HTTP: &http.Client{Timeout: githubTimeout, Transport: transport.Stack(http.DefaultTransport, transport.Options{
			Upstream: "github", Operation: func(r *http.Request) string { return r.Method + " " + r.URL.Path },
			Timeout: githubTimeout, Metrics: metrics,
		})},
	})
	return signIn, nil
}

// counted counts a request's upstream calls and cache reads for its log line.
func counted(ctx context.Context) (context.Context, func() []slog.Attr) {
	ctx, calls := tally.With(ctx, tally.Calls)
	ctx, reads := tally.With(ctx, tally.Reads)
	return ctx, func() []slog.Attr {
		return []slog.Attr{slog.Any("upstreamCalls", calls.Counts()), slog.Any("cacheReads", reads.Counts())}
	}
}
