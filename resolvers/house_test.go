package resolvers_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/vektah/gqlparser/v2/ast"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/cluster/clustertest"
	"drydock.dev/drydock/graph"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/loaders"
	"drydock.dev/drydock/registry"
	"drydock.dev/drydock/repository"
	"drydock.dev/drydock/resolvers"
	"drydock.dev/drydock/signing"
	"drydock.dev/drydock/webhook"
)

const (
	stripeKey     = "sk_test_resolvers"
	webhookSecret = "whsec_resolvers"
)

// house is one replica of the gateway without its HTTP: the real clients, over a
// stand-in Stripe of the test's own and the package's one control plane.
type house struct {
	t         *testing.T
	stripeURL string
	// agent is what the API server's audit log calls this replica.
	agent string

	billing  *billing.Client
	cluster  *cluster.Client
	schema   graphql.ExecutableSchema
	engine   *executor.Executor
	registry *prometheus.Registry
	// audit is what the resolvers log.
	audit *log
}

// newSchema is the schema alone, for tests that ask nothing.
func newSchema(t *testing.T) *ast.Schema {
	t.Helper()
	return graph.NewExecutableSchema(resolvers.New(resolvers.Options{})).Schema()
}

func newHouse(t *testing.T) *house {
	t.Helper()
	stripe, err := billingtest.New(billingtest.Options{Key: stripeKey})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(stripe)
	t.Cleanup(func() {
		server.Close()
		if err := stripe.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := installed(); err != nil {
		t.Fatal(err)
	}
	first := &house{t: t, stripeURL: server.URL}
	return first.afresh()
}

// afresh is another replica over the same Stripe and Kubernetes: it has just
// started, and knows what a start reads.
func (h *house) afresh() *house {
	h.t.Helper()
	next := *h
	next.registry, next.audit, next.agent = prometheus.NewRegistry(), &log{}, "replica-"+rand.Text()
	logger := slog.New(slog.NewTextHandler(next.audit, nil))
	var err error
	next.billing, err = billing.New(billing.Options{
		Key: stripeKey, APIBase: h.stripeURL, Registerer: next.registry, WebhookSecrets: []string{webhookSecret},
		Timeout: patience, Patience: patience, // a machine that is slow for a moment is not Stripe that is slow
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(next.billing.Close)
	next.cluster, err = cluster.New(cluster.Options{Kubeconfig: plane.Kubeconfig, Registerer: next.registry, UserAgent: next.agent, Billed: next.billing.ForgetUsage})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(next.cluster.Close)
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	for _, start := range []func(context.Context) error{next.billing.Start, next.cluster.Start} {
		if err := start(ctx); err != nil {
			h.t.Fatal(err)
		}
	}
	// What is read behind the requests would be counted among theirs.
	next.until("the directory is complete", func() bool { return next.billing.Details()["directoryComplete"] == true })
	logins, err := registry.NewLogins(registry.Options{Rules: registry.Rules{Loopback: true}})
	if err != nil {
		h.t.Fatal(err)
	}
	next.schema = graph.NewExecutableSchema(resolvers.New(resolvers.Options{
		Accounts: next.billing, Plans: next.billing,
		Images: next.cluster, Builds: next.cluster, Logs: next.cluster, Watches: next.cluster,
		Tokens: auth.NewTokens(sealing(h.t), next.billing, time.Now),
		Money:  next.billing, PlanURL: planURL, BadgeURL: "http://drydock.example/badge",
		Webhooks:   resolvers.Webhooks{Keeper: next.cluster, Rules: webhook.Rules{Loopback: true}, Keys: signingKeys(h.t)},
		Registries: next.cluster, Logins: logins, Git: next.cluster, Repositories: repository.NewLogins(repository.Options{Loopback: true}), Secrets: next.cluster,
		Log: logger,
		Triggers: resolvers.Triggers{Pushes: next.cluster, Keys: signingKeys(h.t), WebhookURL: "http://drydock.example/webhooks/github",
			MinInterval: 5 * time.Minute, Now: time.Now},
	}))
	next.engine = newExecutor(next.schema, loaders.Sources{Accounts: next.billing, Images: next.cluster, Builds: next.cluster})
	return &next
}

// signingKeys are the replicas'.
func signingKeys(t *testing.T) *signing.Keys {
	t.Helper()
	keys, err := signing.Parse("AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=")
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// planURL is where pages at Stripe lead back to.
const planURL = "http://drydock.example/plan"

// sealing are the replicas' session keys.
func sealing(t *testing.T) *auth.Keys {
	t.Helper()
	keys, err := auth.ParseKeys("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// as is a caller of this replica; an empty login is signed out.
func (h *house) as(login string) caller {
	return caller{t: h.t, engine: h.engine, login: login}
}

// world is all that an account has, as its owner sees it.
func (h *house) world(login string) any {
	h.t.Helper()
	var data any
	h.as(login).must(`{ viewer {
		login email role
		images(first: 100) { totalCount edges { node {
			id name destination tags platforms timeoutSeconds suspended public badgeURL updatedAt
			source { repository ref context dockerfile } buildArgs { key value } gitCredential { kind host username createdAt } webhook { url createdAt }
			pushWebhookURL triggers { push schedule baseImage }
		} } }
		builds(first: 100) { totalCount edges { node { id number trigger reason } } }
		registryCredentials { id registry username createdAt }
	} }`, nil, &data)
	return data
}

// same holds an account's world to what it was.
func (h *house) same(before any, login string) {
	h.t.Helper()
	if diff := cmp.Diff(before, h.world(login)); diff != "" {
		h.t.Errorf("%s's things changed (-before +after):\n%s", login, diff)
	}
}

// measure holds what a step asks of Stripe to a number of requests, and of
// Kubernetes to none beyond the standing watches.
func (h *house) measure(reason string, most int, step func()) {
	h.t.Helper()
	stripe, kubernetes := h.stripeRequests(), len(h.kubernetesRequests())
	step()
	made, list := 0, []string{}
	for operation, count := range h.stripeRequests() {
		if more := count - stripe[operation]; more > 0 {
			made += more
			list = append(list, fmt.Sprintf("%d × %s", more, operation))
		}
	}
	if made > most {
		h.t.Errorf("%s: %d Stripe requests, want at most %d: %v", reason, made, most, list)
	}
	if more := h.kubernetesRequests()[kubernetes:]; len(more) > 0 {
		h.t.Errorf("%s: Kubernetes requests: %+v, want none", reason, more)
	}
}

// kubernetesRequests are what the API server noted of this replica's, watches left out.
func (h *house) kubernetesRequests() []clustertest.Event {
	h.t.Helper()
	all := plane.AuditEvents(h.t)
	own := slices.DeleteFunc(all, func(e clustertest.Event) bool { return e.UserAgent != h.agent })
	if len(own) == 0 {
		h.t.Fatal("the audit log has no request of this replica, not even its watches: the measure is broken")
	}
	return slices.DeleteFunc(own, func(e clustertest.Event) bool { return e.Verb == "watch" })
}

// stripeRequests counts this replica's so far, by operation.
func (h *house) stripeRequests() map[string]int {
	h.t.Helper()
	counts := map[string]int{}
	for _, metric := range h.metrics("drydock_upstream_requests_total") {
		labels := map[string]string{}
		for _, label := range metric.GetLabel() {
			labels[label.GetName()] = label.GetValue()
		}
		if labels["upstream"] == "stripe" {
			counts[labels["operation"]] += int(metric.GetCounter().GetValue())
		}
	}
	if len(counts) == 0 {
		h.t.Fatal("no Stripe request was counted, not even a start's: the measure is broken")
	}
	return counts
}

// subscribers are those of this replica's watches.
func (h *house) subscribers() int {
	h.t.Helper()
	sum := 0
	for _, metric := range h.metrics("drydock_subscribers") {
		sum += int(metric.GetGauge().GetValue())
	}
	return sum
}

// metrics are this replica's of one name.
func (h *house) metrics(name string) []*dto.Metric {
	h.t.Helper()
	families, err := h.registry.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()
		}
	}
	return nil
}

// until waits for a condition, within patience.
func (h *house) until(what string, holds func() bool) {
	h.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			h.t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// keyOf takes a build's id apart.
func (h *house) keyOf(build string) model.Key {
	h.t.Helper()
	key, ok := model.DecodeKey(model.KindBuild, build)
	if !ok {
		h.t.Fatalf("%q is no build's id", build)
	}
	return key
}

// log is a buffer that several goroutines write.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}
