package gateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/gateway"
	"drydock.dev/drydock/graph"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/resolvers"
)

// deadline bounds whatever a test waits for.
const deadline = time.Minute

// world is a gateway on a loopback socket, and what it was made of.
type world struct {
	*httptest.Server
	gateway  *gateway.Gateway
	sessions *auth.Sessions
	log      *journal
	schema   *schema
	part     *part
}

// serve starts a gateway; change may alter its options.
func serve(t *testing.T, change func(*gateway.Options)) *world {
	t.Helper()
	w := &world{log: &journal{}, schema: &schema{}, part: &part{}}
	w.Server = httptest.NewUnstartedServer(nil)
	public, err := url.Parse("http://" + w.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	keys := sessionKeys(t)
	log := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.sessions = auth.NewSessions(keys, time.Hour, false, time.Now)
	registry := prometheus.NewRegistry()
	options := gateway.Options{
		Schema:        graph.NewExecutableSchema(graph.Config{Resolvers: w.schema, Complexity: resolvers.New(resolvers.Options{}).Complexity}),
		Sessions:      w.sessions,
		SignIn:        &auth.SignIn{Sessions: w.sessions, Accounts: people{}, Log: log},
		Dev:           true,
		Checks:        map[string]gateway.Check{"part": w.part},
		PublicURL:     public,
		Introspection: true,
		Log:           log,
		Registerer:    registry,
		Gatherer:      registry,
	}
	if change != nil {
		change(&options)
	}
	w.gateway, err = gateway.New(options)
	if err != nil {
		t.Fatal(err)
	}
	w.Config.Handler = w.gateway
	w.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		if err := w.gateway.Drain(ctx); err != nil {
			t.Errorf("streams are left: %v", err)
		}
		w.Close()
	})
	return w
}

// sessionKeys are those of every gateway.
func sessionKeys(t *testing.T) *auth.Keys {
	t.Helper()
	keys, err := auth.ParseKeys(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// people is where the tests' accounts are: everybody has one.
type people struct{}

func (people) SignUp(_ context.Context, id model.Identity) (*model.Account, error) {
	return &model.Account{Login: strings.ToLower(id.Login)}, nil
}

// part is a part of the gateway that can be made unready.
type part struct {
	mu      sync.Mutex
	missing error
}

func (p *part) set(missing error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.missing = missing
}

func (p *part) Ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.missing
}

func (p *part) Details() map[string]any { return map[string]any{"objects": 3} }
