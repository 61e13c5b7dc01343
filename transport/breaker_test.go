package transport_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"drydock.dev/drydock/transport"
)

// switched is a server that is up or down at a word.
type switched struct {
	url    string
	down   atomic.Pointer[http.HandlerFunc]
	served *atomic.Int32
}

func newSwitched(t *testing.T) *switched {
	t.Helper()
	s := &switched{}
	s.url, s.served = answers(t, func(w http.ResponseWriter, r *http.Request) {
		if down := s.down.Load(); down != nil {
			(*down)(w, r)
			return
		}
		status(200)(w, r)
	})
	return s
}

// attempt makes one call and gives its status, 0 with an error.
func attempt(ctx context.Context, client *http.Client, url string) (int, error) {
	response, err := do(ctx, client, url)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

func TestBreakerOpens(t *testing.T) {
	cases := []struct {
		reason  string
		down    http.HandlerFunc
		timeout time.Duration
		calls   int
		open    bool
	}{
		{"broken connections", drop, time.Minute, 3, true},
		{"tries that take too long", hang, time.Second, 3, true},
		{"server errors", status(500), time.Minute, 3, true},
		{"overload", status(503), time.Minute, 3, true},
		{"fewer than it takes", status(503), time.Minute, 2, false},
		{"refusals are answers", status(404), time.Minute, 10, false},
		{"so are rate limits", status(429), time.Minute, 10, false},
		{"and failures of an earlier time", status(500, "Idempotent-Replayed", "true"), time.Minute, 10, false},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			server := newSwitched(t)
			server.down.Store(&c.down)
			breaker := transport.NewBreaker(transport.BreakerOptions{Failures: 3, Pause: time.Hour})
			client := stack(t, func(o *transport.Options) {
				o.Breaker, o.Retry, o.Timeout = breaker, transport.Retry{}, c.timeout
			})
			for range c.calls {
				if _, err := attempt(t.Context(), client, server.url); errors.Is(err, transport.ErrOpen) {
					t.Fatal("open too early")
				}
			}
			if breaker.Open() != c.open {
				t.Fatalf("open: %v, want %v", breaker.Open(), c.open)
			}
			if !c.open {
				return
			}
			if _, err := attempt(t.Context(), client, server.url); !errors.Is(err, transport.ErrOpen) {
				t.Errorf("got %v, want a refusal", err)
			}
			if n := server.served.Load(); n != int32(c.calls) {
				t.Errorf("%d calls came through, want %d", n, c.calls)
			}
		})
	}
}

// TestCallersEndIsNoFailure: who gave up says nothing about the upstream.
func TestCallersEndIsNoFailure(t *testing.T) {
	server := newSwitched(t)
	down := http.HandlerFunc(hang)
	server.down.Store(&down)
	breaker := transport.NewBreaker(transport.BreakerOptions{Failures: 1})
	client := stack(t, func(o *transport.Options) { o.Breaker = breaker })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := attempt(ctx, client, server.url); !errors.Is(err, context.DeadlineExceeded) || breaker.Open() {
		t.Errorf("got %v, open: %v", err, breaker.Open())
	}
}

// TestBreakerProbes lets an upstream go down and come back: calls of people never probe,
// one background call does after each pause, and its success lets all through.
func TestBreakerProbes(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	metrics, err := transport.NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	server := newSwitched(t)
	var mu sync.Mutex
	var changes []bool
	breaker := transport.NewBreaker(transport.BreakerOptions{
		Upstream: "test", Failures: 1, Pause: 20 * time.Millisecond, Alone: time.Hour, Metrics: metrics,
		Changed: func(open bool) {
			mu.Lock()
			defer mu.Unlock()
			changes = append(changes, open)
		},
	})
	client := stack(t, func(o *transport.Options) { o.Breaker, o.Retry = breaker, transport.Retry{} })
	background := transport.WithPriority(t.Context(), transport.Background)
	state := func(want string) {
		t.Helper()
		text := `
# HELP drydock_upstream_breaker_state Whether calls to an upstream go out: 0 closed, they do; 1 probing; 2 open, they do not.
# TYPE drydock_upstream_breaker_state gauge
drydock_upstream_breaker_state{upstream="test"} ` + want + "\n"
		if err := testutil.GatherAndCompare(registry, strings.NewReader(text), "drydock_upstream_breaker_state"); err != nil {
			t.Error(err)
		}
	}
	state("0")
	down := status(503)
	server.down.Store(&down)
	if code, err := attempt(t.Context(), client, server.url); code != 503 {
		t.Fatalf("got %d, %v", code, err)
	}
	state("2")
	// Failed probes keep it open, each after a pause.
	probe := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; {
			if _, err := attempt(t.Context(), client, server.url); !errors.Is(err, transport.ErrOpen) {
				t.Fatalf("a person's call went out: %v", err)
			}
			code, err := attempt(background, client, server.url)
			if code == want {
				return
			}
			if !errors.Is(err, transport.ErrOpen) || time.Now().After(deadline) {
				t.Fatalf("the probe got %d, %v; want %d", code, err, want)
			}
		}
	}
	probe(503)
	probe(503)
	if n := server.served.Load(); n != 3 {
		t.Errorf("%d calls came through, want the first and two probes", n)
	}
	server.down.Store(nil)
	probe(200)
	state("0")
	if code, err := attempt(t.Context(), client, server.url); code != 200 {
		t.Errorf("after the probe a person's call got %d, %v", code, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff([]bool{true, false}, changes); diff != "" {
		t.Errorf("changes heard (-want +got):\n%s", diff)
	}
}

// TestBreakerAlone: where nothing runs in the background, an interactive call probes in
// the end.
func TestBreakerAlone(t *testing.T) {
	server := newSwitched(t)
	down := status(503)
	server.down.Store(&down)
	breaker := transport.NewBreaker(transport.BreakerOptions{Failures: 1, Pause: time.Millisecond, Alone: 20 * time.Millisecond})
	client := stack(t, func(o *transport.Options) { o.Breaker, o.Retry = breaker, transport.Retry{} })
	start := time.Now() // before it opens: it is from then on that it counts
	if code, err := attempt(t.Context(), client, server.url); code != 503 {
		t.Fatalf("got %d, %v", code, err)
	}
	server.down.Store(nil)
	for {
		code, err := attempt(t.Context(), client, server.url)
		if code == 200 {
			break
		}
		if !errors.Is(err, transport.ErrOpen) || time.Since(start) > time.Minute {
			t.Fatalf("got %d, %v", code, err)
		}
	}
	if took := time.Since(start); took < 20*time.Millisecond {
		t.Errorf("probed after %v already", took)
	}
}
