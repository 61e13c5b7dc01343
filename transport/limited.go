package transport

import (
	"net/http"
	"strings"
	"time"
)

const (
	// limitedReason is the header by which Stripe says which of its limits refused a call
	// (https://docs.stripe.com/rate-limits).
	limitedReason = "Stripe-Rate-Limited-Reason"
	// limitedPause is how long the calls under that limit then pause, where the upstream
	// does not say: limits are counted by the second.
	limitedPause = time.Second
)

// Limited makes each call wait for its turn, and pauses the limit that a 429 names. A
// 429 without a reason is about the object, a lock, and pauses nothing.
func Limited(next http.RoundTripper, limiter *Limiter, upstream string, operation func(*http.Request) string, metrics *Metrics) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		name, priority, start := operation(r), PriorityOf(r.Context()), time.Now()
		err := limiter.Wait(r.Context(), name)
		if metrics != nil {
			metrics.waits.WithLabelValues(upstream, priority.String()).Observe(time.Since(start).Seconds())
		}
		if err != nil {
			closeBody(r)
			return nil, err
		}
		defer limiter.Done(priority)
		response, err := next.RoundTrip(r)
		if err == nil && response.StatusCode == http.StatusTooManyRequests {
			if reason := response.Header.Get(limitedReason); reason != "" {
				pause, ok := RetryAfter(response)
				if !ok {
					pause = limitedPause
				}
				limiter.Pause(name, reason, pause)
			}
		}
		return response, err
	})
}

// means tells whether an upstream's reason is this limit.
func (b *bucket) means(reason string) bool {
	return b.Reason != "" && strings.HasPrefix(reason, b.Reason)
}

// closeBody keeps RoundTripper's promise that the body is closed, also on errors.
func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}
