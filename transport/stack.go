package transport

import (
	"net/http"
	"time"
)

// Options says how calls to one upstream are made.
type Options struct {
	// Upstream and Operation are the metrics' labels; Operation must know few values,
	// such as "GET /v1/customers/{id}".
	Upstream  string
	Operation func(*http.Request) string
	// Timeout bounds each try, the reading of its body included; 0: no bound.
	Timeout time.Duration
	// Buffer reads responses whole within the try; Valid, where given, tells which bodies
	// are the upstream's own.
	Buffer bool
	Valid  func(body []byte) bool
	Retry  Retry
	// Limiter says when each try may go out; nil: at once.
	Limiter *Limiter
	// Breaker stops the tries while the upstream is down; nil: never.
	Breaker *Breaker
	Metrics *Metrics
}

// Stack makes the layers of an upstream around base.
func Stack(base http.RoundTripper, options Options) http.RoundTripper {
	next := Bounded(base, options.Timeout)
	if options.Buffer {
		next = Buffered(next, options.Valid)
	}
	next = Observed(next, options.Upstream, options.Operation, options.Metrics)
	if options.Breaker != nil {
		next = Tripping(next, options.Breaker)
	}
	if options.Limiter != nil {
		next = Limited(next, options.Limiter, options.Upstream, options.Operation, options.Metrics)
	}
	if options.Breaker != nil {
		next = Guarded(next, options.Breaker)
	}
	return Retried(next, options.Retry)
}

// roundTripper is a function as an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
