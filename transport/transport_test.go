package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"drydock.dev/drydock/tally"
	"drydock.dev/drydock/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answers serves one handler after the other, the last one for ever, and counts.
func answers(t *testing.T, handlers ...http.HandlerFunc) (url string, served *atomic.Int32) {
	t.Helper()
	served = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(served.Add(1))
		handlers[min(n, len(handlers))-1](w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, served
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = w.Write(body)
	}
}

func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.ReadAll(r.Body)
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// cut announces more than it sends.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write([]byte("half"))
	panic(http.ErrAbortHandler)
}

// page is what a proxy says of itself.
func page(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "<html>sign in to the network</html>")
}

func stack(t *testing.T, change func(*transport.Options)) *http.Client {
	t.Helper()
	options := transport.Options{
		Upstream: "test", Operation: func(r *http.Request) string { return r.Method }, Timeout: time.Minute, Buffer: true,
		Valid: func(body []byte) bool { return !strings.HasPrefix(string(body), "<") },
		Retry: transport.Retry{Attempts: 3, Wait: time.Millisecond, MaxWait: 50 * time.Millisecond},
	}
	if change != nil {
		change(&options)
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(base.CloseIdleConnections)
	return &http.Client{Transport: transport.Stack(base, options)}
}

func TestRetried(t *testing.T) {
	cases := []struct {
		reason  string
		method  string
		header  string
		answers []http.HandlerFunc
		want    int // status; 0: an error
		tries   int32
		timeout time.Duration
	}{
		{"a broken connection of a read", "GET", "", []http.HandlerFunc{drop, status(200)}, 200, 2, 0},
		{"a body that breaks off", "GET", "", []http.HandlerFunc{cut, status(200)}, 200, 2, 0},
		{"a try that takes too long", "GET", "", []http.HandlerFunc{hang, status(200)}, 200, 2, 2 * time.Second},
		{"an answer of somebody else's, such as a proxy", "GET", "", []http.HandlerFunc{page, status(200)}, 200, 2, 0},
		{"overload", "GET", "", []http.HandlerFunc{status(503), status(502), status(200)}, 200, 3, 0},
		{"the last try's answer is the answer", "GET", "", []http.HandlerFunc{status(500)}, 500, 3, 0},
		{"a rate limit", "GET", "", []http.HandlerFunc{status(429), status(200)}, 200, 2, 0},
		{"a rate limit that names a short pause", "GET", "", []http.HandlerFunc{status(429, "Retry-After", "0"), status(200)}, 200, 2, 0},
		{"a pause longer than the policy's is the caller's to make", "GET", "", []http.HandlerFunc{status(429, "Retry-After", "3600")}, 429, 1, 0},
		{"so is a date", "GET", "", []http.HandlerFunc{status(503, "Retry-After", "Fri, 31 Dec 2199 23:59:59 GMT")}, 503, 1, 0},
		{"bad requests do not get better", "GET", "", []http.HandlerFunc{status(400)}, 400, 1, 0},
		{"unless the upstream says so", "GET", "", []http.HandlerFunc{status(400, "Stripe-Should-Retry", "true"), status(200)}, 200, 2, 0},
		{"a failure of an earlier time stays the answer", "POST", "k", []http.HandlerFunc{status(500, "Idempotent-Replayed", "true")}, 500, 1, 0},
		{"or the opposite", "GET", "", []http.HandlerFunc{status(500, "Stripe-Should-Retry", "false")}, 500, 1, 0},
		{"a write without a key may have happened", "POST", "", []http.HandlerFunc{drop}, 0, 1, 0},
		{"a failed write without a key too", "POST", "", []http.HandlerFunc{status(500)}, 500, 1, 0},
		{"a write with a key happens once", "POST", "k", []http.HandlerFunc{drop, status(409), status(200)}, 200, 3, 0},
		{"deletes may be repeated", "DELETE", "", []http.HandlerFunc{drop, status(200)}, 200, 2, 0},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			url, served := answers(t, c.answers...)
			request, err := http.NewRequestWithContext(t.Context(), c.method, url, strings.NewReader("the body"))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Idempotency-Key", c.header)
			client := stack(t, func(o *transport.Options) {
				if c.timeout != 0 {
					o.Timeout = c.timeout
				}
			})
			response, err := client.Do(request)
			got := 0
			if err == nil {
				got = response.StatusCode
				body, err := io.ReadAll(response.Body)
				if err != nil || string(body) != "the body" {
					t.Errorf("the last try sent and got back %q, %v", body, err)
				}
				_ = response.Body.Close()
			}
			if got != c.want || served.Load() != c.tries {
				t.Errorf("got %d (%v) after %d tries, want %d after %d", got, err, served.Load(), c.want, c.tries)
			}
		})
	}
}

func TestCallersDeadlineBoundsRetries(t *testing.T) {
	url, served := answers(t, status(503))
	client := stack(t, func(o *transport.Options) {
		o.Retry = transport.Retry{Attempts: 1000, Wait: time.Hour, MaxWait: time.Hour}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	response, err := do(ctx, client, url) // the first pause alone would be an hour
	if err == nil {
		_ = response.Body.Close()
	}
	if err == nil && response.StatusCode != http.StatusServiceUnavailable || err != nil && !errors.Is(err, context.DeadlineExceeded) || served.Load() == 0 {
		t.Errorf("got %v, %v after %d tries", response, err, served.Load())
	}
}

func TestLimited(t *testing.T) {
	url, served := answers(t, status(200))
	client := stack(t, func(o *transport.Options) { o.Limiter = limiter(0.01) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	response, err := do(ctx, client, url)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response, err = do(ctx, client, url); !errors.Is(err, transport.ErrLimited) {
		t.Errorf("the second call got %v; want a refusal, at once", err)
	}
	if err == nil {
		_ = response.Body.Close()
	}
	if n := served.Load(); n != 1 {
		t.Errorf("%d calls came through", n)
	}
}

// limiter has one limit for all calls.
func limiter(limit float64) *transport.Limiter {
	return transport.NewLimiter(transport.LimiterOptions{Buckets: func(string) []transport.Bucket {
		return []transport.Bucket{{Name: "all", Limit: limit, Reason: "global"}}
	}})
}

func do(ctx context.Context, client *http.Client, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return client.Do(request)
}

func TestObserved(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	metrics, err := transport.NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transport.NewMetrics(registry); err != nil {
		t.Fatal("a second client of one registry:", err)
	}
	url, _ := answers(t, drop, status(429), status(200))
	client := stack(t, func(o *transport.Options) { o.Metrics = metrics })
	ctx, counter := tally.With(t.Context(), tally.Calls)
	response, err := do(ctx, client, url)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if diff := cmp.Diff(map[string]int{"test": 3}, counter.Counts()); diff != "" {
		t.Errorf("each try counts for the request (-want +got):\n%s", diff)
	}
	want := `
# HELP drydock_upstream_requests_total Calls to upstreams, each try counted, by outcome.
# TYPE drydock_upstream_requests_total counter
drydock_upstream_requests_total{operation="GET",outcome="2xx",upstream="test"} 1
drydock_upstream_requests_total{operation="GET",outcome="429",upstream="test"} 1
drydock_upstream_requests_total{operation="GET",outcome="error",upstream="test"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "drydock_upstream_requests_total"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(registry, "drydock_upstream_request_duration_seconds"); n != 1 || err != nil {
		t.Errorf("%d duration histograms, %v", n, err)
	}
}
