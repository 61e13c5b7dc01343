package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 20

var (
	errPlain   = errors.New("plain HTTP is not allowed for this host")
	errPrivate = errors.New("the address is not public")
)

// guarded is a transport that keeps the rules for each request and each connection:
// redirects and token servers are held to them like the registry itself.
func guarded(rules Rules) http.RoundTripper {
	pool := &http.Transport{
		DialContext:            rules.dial,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableKeepAlives:      true, // registries are tried seldom, each another one
		ForceAttemptHTTP2:      true,
	}
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		if request.URL.Scheme != "https" && !rules.Plain(request.URL.Host) {
			return nil, fmt.Errorf("%s: %w", request.URL.Host, errPlain)
		}
		response, err := pool.RoundTrip(request)
		if err == nil {
			response.Body = bounded{io.LimitReader(response.Body, maxAnswer), response.Body}
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip makes a request.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// bounded is the beginning of a body.
type bounded struct {
	io.Reader
	io.Closer
}

// dial connects to host:port. The check is of the address that the connection goes to,
// after the name was looked up, so that no second look-up can give another one.
func (r Rules) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	if !r.Plain(address) {
		dialer.Control = func(_, resolved string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return err
			}
			if !r.reach(to.Addr()) {
				return fmt.Errorf("%s: %w", resolved, errPrivate)
			}
			return nil
		}
	}
	return dialer.DialContext(ctx, network, address)
}
