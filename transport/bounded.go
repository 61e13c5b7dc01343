package transport

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Bounded gives each call a deadline, which holds until its body is read or closed.
// A timeout of 0 sets none.
func Bounded(next http.RoundTripper, timeout time.Duration) http.RoundTripper {
	if timeout <= 0 {
		return next
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		response, err := next.RoundTrip(r.WithContext(ctx))
		if err != nil {
			cancel()
			return nil, err
		}
		response.Body = &boundedBody{ReadCloser: response.Body, cancel: cancel}
		return response, nil
	})
}

// boundedBody frees the deadline's timer once the body is done with.
type boundedBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *boundedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
