package transport

import (
	"context"
	"fmt"
	"net/http"

	"golang.org/x/time/rate"
)

// Limited waits for a token of the limiter before each call. A call whose deadline
// comes before its token fails at once with context.DeadlineExceeded.
func Limited(next http.RoundTripper, limiter *rate.Limiter) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if err := limiter.Wait(r.Context()); err != nil {
			closeBody(r)
			if r.Context().Err() == nil {
				err = fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
			}
			return nil, err
		}
		return next.RoundTrip(r)
	})
}

// closeBody keeps RoundTripper's promise that the body is closed, also on errors.
func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}
