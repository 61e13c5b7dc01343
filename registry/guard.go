package registry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"drydock.dev/drydock/reach"
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 20

var errPlain = errors.New("plain HTTP is not allowed for this host")

// guard is a transport that keeps the rules for each request and each connection:
// redirects and token servers are held to them like the registry itself.
type guard struct {
	rules Rules
	// vouched tells that the registry that is asked is one that may speak plain HTTP. Others
	// may not lead to such a host either, which is perhaps this very one.
	vouched bool
	pool    *http.Transport
}

func newGuard(rules Rules, vouched bool) *guard {
	g := &guard{rules: rules, vouched: vouched}
	g.pool = &http.Transport{
		DialContext:            g.dial,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableKeepAlives:      true, // registries are tried seldom, each another one
		ForceAttemptHTTP2:      true,
	}
	return g
}

func (g *guard) plain(host string) bool { return g.vouched && g.rules.Plain(host) }

// RoundTrip makes a request, or refuses to.
func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme != "https" && !g.plain(request.URL.Host) {
		return nil, errPlain
	}
	response, err := g.pool.RoundTrip(request)
	if err == nil {
		response.Body = bounded{io.LimitReader(response.Body, maxAnswer), response.Body}
	}
	return response, err
}

// bounded is the beginning of a body.
type bounded struct {
	io.Reader
	io.Closer
}

// dial connects to host:port. See package reach.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	if !g.plain(address) {
		dialer.Control = reach.Control(g.rules.Private)
	}
	return dialer.DialContext(ctx, network, address)
}
