package transport

import (
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// Options says how calls to one upstream are made.
type Options struct {
	// Upstream and Operation are the metrics' labels; Operation must know few values,
	// such as "GET /v1/customers/{id}".
	Upstream  string
	Operation func(*http.Request) string
	// Timeout bounds each try, the reading of its body included; 0: no bound.
	Timeout time.Duration
	// Buffer reads responses whole within the try.
	Buffer bool
	Retry  Retry
	// Rate bounds the tries by the second, with bursts of a second's worth; 0: no bound.
	Rate    float64
	Metrics *Metrics
}

// Stack makes the layers of an upstream around base.
func Stack(base http.RoundTripper, options Options) http.RoundTripper {
	next := Bounded(base, options.Timeout)
	if options.Buffer {
		next = Buffered(next)
	}
	next = Observed(next, options.Upstream, options.Operation, options.Metrics)
	if options.Rate > 0 {
		next = Limited(next, rate.NewLimiter(rate.Limit(options.Rate), max(1, int(options.Rate))))
	}
	return Retried(next, options.Retry)
}

// roundTripper is a function as an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
