package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/gateway"
	"drydock.dev/drydock/graph"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/loaders"
	"drydock.dev/drydock/resolvers"
	"drydock.dev/drydock/transport"
)

const proxySecret = "a-secret-of-the-proxy"

// fleet is replicas over one Stripe; each tells the others what it changed.
type fleet struct {
	stripe   *httptest.Server
	replicas []*replica
}

// replica is a gateway over real accounts; its builds never change.
type replica struct {
	*world
	money *billing.Client
	// cut keeps the replica from Stripe.
	cut atomic.Bool

	mu    sync.Mutex
	asked []string
}

func newFleet(t *testing.T, size int) *fleet {
	t.Helper()
	stripe, err := billingtest.New(billingtest.Options{Limits: billingtest.Unlimited})
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{stripe: httptest.NewServer(stripe)}
	t.Cleanup(func() {
		f.stripe.Close()
		if err := stripe.Close(); err != nil {
			t.Error(err)
		}
	})
	for range size {
		f.join(t)
	}
	return f
}

// join adds a replica that has just started.
func (f *fleet) join(t *testing.T) *replica {
	t.Helper()
	r := &replica{}
	money, err := billing.New(billing.Options{
		Key: "sk_test_gateway", APIBase: f.stripe.URL, HTTP: r,
		// A machine that is slow for a moment is not Stripe that is slow.
		Timeout: deadline, Patience: deadline,
		Retry: transport.Retry{Attempts: 4, Wait: time.Millisecond, MaxWait: 10 * time.Millisecond},
		Announce: func(_ context.Context, notices []string) error {
			for _, other := range f.replicas {
				if other != r {
					other.money.Hear(notices)
				}
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(money.Close)
	r.money = money
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := money.Start(ctx); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the directory is full", func() bool { return money.Details()["directoryComplete"] == true })
	r.world = serve(t, func(o *gateway.Options) {
		tokens := auth.NewTokens(sessionKeys(t), money, time.Now)
		trust, err := auth.NewTrust(auth.TrustOptions{
			Header: "X-Forwarded-User", Secret: proxySecret, Lasts: time.Hour, Accounts: money, Log: o.Log, Now: time.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		o.Tokens, o.Trust, o.SignIn.Accounts = tokens, trust, money
		o.Schema = graph.NewExecutableSchema(resolvers.New(resolvers.Options{
			Accounts: money, Plans: money, Watches: still{}, Tokens: tokens, Log: o.Log,
		}))
		o.PerResponse = func(ctx context.Context) context.Context {
			return loaders.With(ctx, loaders.New(loaders.Sources{Accounts: money}))
		}
	})
	f.replicas = append(f.replicas, r)
	return r
}

// RoundTrip is the replica's way to Stripe.
func (r *replica) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.asked = append(r.asked, request.Method+" "+request.URL.Path)
	r.mu.Unlock()
	if r.cut.Load() {
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "connection refused"}
	}
	return http.DefaultTransport.RoundTrip(request)
}

// costs is what a replica asks of Stripe while something runs.
func (r *replica) costs(run func()) []string {
	r.mu.Lock()
	before := len(r.asked)
	r.mu.Unlock()
	run()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[before:]
}

// still watches builds and images that never change.
type still struct{}

func (still) WatchBuilds(ctx context.Context, _ model.BuildSelector) (<-chan *model.Build, error) {
	builds := make(chan *model.Build)
	context.AfterFunc(ctx, func() { close(builds) })
	return builds, nil
}

func (still) WatchImage(context.Context, model.Key) (<-chan *model.Image, error) {
	return nil, fault.New(fault.NotFound, "there is no image")
}

// token makes an access token for the holder of a cookie, as an Authorization line.
func (r *replica) token(t *testing.T, cookie, arguments string) string {
	t.Helper()
	got := r.query(t, `mutation{createAccessToken(input:{`+arguments+`}){token expiresAt}}`, cookie)
	made, _ := got.graphql(t).Data["createAccessToken"].(map[string]any)
	text, _ := made["token"].(string)
	if got.status != http.StatusOK || text == "" {
		t.Fatalf("a token: %d %s", got.status, got.body)
	}
	return "Authorization: Bearer " + text
}

// revoke ends all tokens of whoever sends the header line.
func (r *replica) revoke(t *testing.T, header string) {
	t.Helper()
	if got := r.query(t, `mutation{revokeAccessTokens(input:{}){clientMutationID}}`, header); got.status != http.StatusOK || got.code(t) != "" {
		t.Fatalf("revoke: %d %s", got.status, got.body)
	}
}

// login is who a reply says is asking; empty when signed out.
func (r reply) login(t *testing.T) string {
	t.Helper()
	viewer, _ := r.graphql(t).Data["viewer"].(map[string]any)
	if viewer == nil {
		return ""
	}
	return fmt.Sprint(viewer["login"])
}

// unwritten holds that no secret stands in the log.
func (r *replica) unwritten(t *testing.T, secrets ...string) {
	t.Helper()
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	for _, secret := range secrets {
		if secret != "" && strings.Contains(r.log.text.String(), secret) {
			t.Errorf("the log shows %.12q...", secret)
		}
	}
}

// audits are the audit lines about something.
func (r *replica) audits(t *testing.T, what string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for _, line := range r.log.lines(t, "audit") {
		if line["what"] == what {
			for _, name := range []string{"time", "level", "msg"} {
				delete(line, name)
			}
			found = append(found, line)
		}
	}
	return found
}
