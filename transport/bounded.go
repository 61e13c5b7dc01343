package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// ErrSlow is what a call gets that took longer than its own deadline, while its caller
// would have waited on.
var ErrSlow = errors.New("the upstream took too long to answer")

// Bounded gives each call a deadline, which holds until its body is read or closed:
// ErrSlow. A timeout of 0 sets none.
func Bounded(next http.RoundTripper, timeout time.Duration) http.RoundTripper {
	if timeout <= 0 {
		return next
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		response, err := next.RoundTrip(r.WithContext(ctx))
		if err != nil {
			cancel()
			return nil, slow(r.Context(), err)
		}
		response.Body = &boundedBody{ReadCloser: response.Body, caller: r.Context(), cancel: cancel}
		return response, nil
	})
}

// boundedBody frees the deadline's timer once the body is done with.
type boundedBody struct {
	io.ReadCloser
	caller context.Context
	cancel context.CancelFunc
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	return n, slow(b.caller, err)
}

func (b *boundedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// slow names a deadline that was not the caller's.
func slow(caller context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && caller.Err() == nil {
		return fmt.Errorf("%w: %w", ErrSlow, err)
	}
	return err
}
