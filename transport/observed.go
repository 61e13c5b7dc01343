package transport

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/tally"
)

// Metrics counts and times upstream calls, try by try:
// drydock_upstream_requests_total{upstream,operation,outcome} and
// drydock_upstream_request_duration_seconds{upstream,operation}, until the
// response's header. An outcome is a status class (2xx, 3xx, 4xx, 5xx), 429,
// timeout, cancelled, or error for a broken connection. It times their waits for a turn,
// drydock_upstream_wait_seconds{upstream,priority}, and shows breakers,
// drydock_upstream_breaker_state{upstream}: 0 closed, 1 probing, 2 open.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	waits    *prometheus.HistogramVec
	breaker  *prometheus.GaugeVec
}

// NewMetrics registers the metrics; two callers of one registerer share them. A nil
// registerer counts without telling anybody.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "drydock_upstream_requests_total",
			Help: "Calls to upstreams, each try counted, by outcome.",
		}, []string{"upstream", "operation", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "drydock_upstream_request_duration_seconds",
			Help:    "Time from an upstream call's start to its response's header.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 11),
		}, []string{"upstream", "operation"}),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "drydock_upstream_wait_seconds",
			Help:    "Time that an upstream call waited for its turn under the rate limits.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"upstream", "priority"}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "drydock_upstream_breaker_state",
			Help: "Whether calls to an upstream go out: 0 closed, they do; 1 probing; 2 open, they do not.",
		}, []string{"upstream"}),
	}
	var errs [4]error
	m.requests, errs[0] = tally.Register(registerer, m.requests)
	m.duration, errs[1] = tally.Register(registerer, m.duration)
	m.waits, errs[2] = tally.Register(registerer, m.waits)
	m.breaker, errs[3] = tally.Register(registerer, m.breaker)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return m, nil
}

// Observed counts each call in the metrics and in the Counter of its context. It
// bounds nothing, so it fits around watches too.
func Observed(next http.RoundTripper, upstream string, operation func(*http.Request) string, metrics *Metrics) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		tally.Add(r.Context(), tally.Calls, upstream)
		start := time.Now()
		response, err := next.RoundTrip(r)
		if metrics != nil {
			name := operation(r)
			metrics.duration.WithLabelValues(upstream, name).Observe(time.Since(start).Seconds())
			metrics.requests.WithLabelValues(upstream, name, outcome(response, err)).Inc()
		}
		return response, err
	})
}

func outcome(response *http.Response, err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case err != nil:
		return "error"
	case response.StatusCode == http.StatusTooManyRequests:
		return "429"
	default:
		return strconv.Itoa(response.StatusCode/100) + "xx"
	}
}
