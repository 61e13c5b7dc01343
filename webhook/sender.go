package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/reach"
	"drydock.dev/drydock/transport"
)

const (
	// sendTime bounds one delivery, look-up and answer included.
	sendTime = 10 * time.Second
	// maxAnswer is how much of an answer's body is read, in bytes.
	maxAnswer = 4 << 10
)

// Delivery is what is to be sent.
type Delivery struct {
	// URL is the receiver's.
	URL string
	// ID is the same for each attempt: receivers know a repeated delivery by it.
	ID string
	// Event names what happened, such as build.ended.
	Event string
	// Body is JSON.
	Body []byte
	// Secret signs it.
	Secret string
}

// Sender sends deliveries. It follows no redirects, keeps no connections and repeats nothing.
type Sender struct {
	rules         Rules
	client        *http.Client
	now           func() time.Time
	strict, loose *http.Transport
}

// NewSender makes a Sender. It asks nobody. The registerer may be nil.
func NewSender(rules Rules, registerer prometheus.Registerer, now func() time.Time) (*Sender, error) {
	metrics, err := transport.NewMetrics(registerer)
	if err != nil {
		return nil, err
	}
	s := &Sender{rules: rules, now: now}
	s.loose = pool(&net.Dialer{})
	s.strict = pool(&net.Dialer{Control: reach.Control(rules.Private)})
	s.client = &http.Client{
		Timeout:       sendTime,
		Transport:     transport.Observed(roads(s.roundTrip), "webhook", func(r *http.Request) string { return r.Method }, metrics),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s, nil
}

// pool is a transport without proxies of the environment, which would make the connections
// in the place of the dialer.
func pool(dialer *net.Dialer) *http.Transport {
	return &http.Transport{
		DialContext: dialer.DialContext, DisableKeepAlives: true, ForceAttemptHTTP2: true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// roads is a function as a http.RoundTripper.
type roads func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roads) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

func (s *Sender) roundTrip(request *http.Request) (*http.Response, error) {
	switch {
	case s.rules.vouched(request.URL.Host):
		return s.loose.RoundTrip(request)
	case request.URL.Scheme != "https":
		return nil, errPlain
	}
	return s.strict.RoundTrip(request)
}

var errPlain = errors.New("plain HTTP is not allowed for this host")

// Send makes one attempt, and gives the status of the answer, 0 without one. The problem is
// empty for 2xx, else a sentence for the image's owner.
func (s *Sender) Send(ctx context.Context, d Delivery) (status int, problem string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.Body))
	if err != nil {
		return 0, "The webhook's address is not legal."
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Drydock-Webhook/1")
	request.Header.Set("Drydock-Event", d.Event)
	request.Header.Set("Drydock-Delivery", d.ID)
	request.Header.Set("Drydock-Signature", Sign(d.Secret, s.now(), d.Body))
	response, err := s.client.Do(request)
	if err != nil {
		return 0, verdict(err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer) // what it says does not matter
	switch status = response.StatusCode; {
	case status >= 200 && status < 300:
		return status, ""
	case status >= 300 && status < 400:
		return status, fmt.Sprintf("The receiver answered %d: redirects are not followed, so set the address that it leads to.", status)
	}
	return status, fmt.Sprintf("The receiver answered %d.", status)
}

// verdict says why there was no answer, in words of ours: what a receiver chose is not repeated.
func verdict(err error) string {
	var name *net.DNSError
	var late interface{ Timeout() bool }
	switch {
	case errors.Is(err, reach.ErrPrivate), errors.Is(err, reach.ErrLocal):
		return refusal(err)
	case errors.Is(err, errPlain):
		return "The webhook's address must begin with https://."
	case errors.As(err, &name) && name.IsNotFound:
		return "The receiver's host could not be found."
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "The receiver's certificate is not trusted."
	case errors.As(err, &late) && late.Timeout():
		return fmt.Sprintf("The receiver did not answer within %s.", sendTime)
	}
	return "The receiver could not be reached."
}
