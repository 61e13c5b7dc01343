package billing_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// road is the way to Stripe: a real connection. So many of the next ones are refused, or
// end at somebody who answers with a page of his own; below 0: all.
type road struct {
	connection      *http.Transport
	refused, forged atomic.Int32
	// conflicts counts answers of 409: a try met the one before it, of which Stripe had not
	// noticed yet that it was given up. When that happens is chance.
	conflicts atomic.Int32
}

// met takes one off what is left of a trouble.
func met(left *atomic.Int32) bool {
	for {
		n := left.Load()
		if n <= 0 || left.CompareAndSwap(n, n-1) {
			return n != 0
		}
	}
}

func newRoad(t *testing.T) *road {
	t.Helper()
	// Nobody listens there, and nobody who asks for a free port is given it.
	const nobody = "127.0.0.1:1"
	r := &road{}
	r.connection = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if met(&r.refused) {
			address = nobody
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Cleanup(r.connection.CloseIdleConnections)
	return r
}

func (r *road) RoundTrip(request *http.Request) (*http.Response, error) {
	if !met(&r.forged) {
		response, err := r.connection.RoundTrip(request)
		if err == nil && response.StatusCode == http.StatusConflict {
			r.conflicts.Add(1)
		}
		return response, err
	}
	if request.Body != nil {
		_ = request.Body.Close()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Request: request,
		Body: io.NopCloser(strings.NewReader("<html>sign in to the network</html>")),
	}, nil
}
