package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	remote "github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/reach"
	"drydock.dev/drydock/transport"
)

// Options say how logins are tried.
type Options struct {
	Rules Rules
	// Timeout bounds one try; 15 s where 0.
	Timeout time.Duration
	// Registerer may be nil: nothing is measured.
	Registerer prometheus.Registerer
}

// Logins tries logins at registries, and asks for what needs none, see Base.
type Logins struct {
	rules   Rules
	timeout time.Duration
	// vouched is for registries that may speak plain HTTP, strict for all others.
	vouched, strict http.RoundTripper
}

// NewLogins makes a Logins. It asks nobody.
func NewLogins(options Options) (*Logins, error) {
	metrics, err := transport.NewMetrics(options.Registerer)
	if err != nil {
		return nil, err
	}
	l := &Logins{rules: options.Rules, timeout: options.Timeout}
	if l.timeout == 0 {
		l.timeout = 15 * time.Second
	}
	l.vouched = transport.Observed(newGuard(l.rules, true), "registry", operation, metrics)
	l.strict = transport.Observed(newGuard(l.rules, false), "registry", operation, metrics)
	return l, nil
}

// operation names a request for the metrics: token servers have paths of their own.
func operation(r *http.Request) string {
	switch {
	case r.URL.Path == "/v2/":
		return r.Method + " /v2/"
	case strings.Contains(r.URL.Path, "/manifests/"):
		return r.Method + " manifest"
	default:
		return r.Method + " token"
	}
}

// Try logs in at a registry, host[:port], as a push or a pull would. Faults: BadUserInput
// where the registry refuses the login, is none, or may not be asked; RateLimited;
// Unavailable where it cannot be reached. No fault repeats what the registry said: it
// was told the password.
// Registry: GET /v2/, and what its challenge asks for
// (https://distribution.github.io/distribution/spec/auth/token/).
func (l *Logins) Try(ctx context.Context, registry, username, password string) error {
	limited, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	err := l.login(limited, registry, username, password)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return verdict(registry, err)
}

func (l *Logins) login(ctx context.Context, registry, username, password string) error {
	through, options := l.strict, []name.Option(nil)
	if l.rules.Plain(registry) {
		through, options = l.vouched, []name.Option{name.Insecure}
	}
	at, err := name.NewRegistry(registry, options...)
	if err != nil {
		return err
	}
	challenge, err := remote.Ping(ctx, at, through)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: through, CheckRedirect: stayThere}
	ask := url.URL{Scheme: "https", Host: at.RegistryStr(), Path: "/v2/"}
	if challenge.Insecure {
		ask.Scheme = "http"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, ask.String(), nil)
	if err != nil {
		return err
	}
	switch strings.ToLower(challenge.Scheme) {
	case "": // nobody is asked
		return nil
	case "basic":
		request.SetBasicAuth(username, password)
	case "bearer":
		token, err := fetchToken(ctx, client, challenge.Parameters, username, password)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	default:
		return errNoRegistry
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	return remote.CheckError(response, http.StatusOK)
}

// fetchToken changes a login for a token, as a registry's challenge asks for. It wants
// access to no repository: the login is what is tried.
func fetchToken(ctx context.Context, client *http.Client, challenge map[string]string, username, password string) (string, error) {
	realm, err := url.Parse(challenge["realm"])
	if err != nil || realm.Host == "" {
		return "", errNoRegistry
	}
	query := realm.Query()
	query.Set("service", challenge["service"])
	realm.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, realm.String(), nil)
	if err != nil {
		return "", errNoRegistry
	}
	request.SetBasicAuth(username, password)
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if err := remote.CheckError(response, http.StatusOK); err != nil {
		return "", err
	}
	var answer remote.Token
	if json.NewDecoder(response.Body).Decode(&answer) != nil || answer.Token == "" && answer.AccessToken == "" {
		return "", errNoRegistry
	}
	return cmp.Or(answer.Token, answer.AccessToken), nil
}

// stayThere follows no redirect to another host: that one is not to hear the password.
func stayThere(request *http.Request, before []*http.Request) error {
	if request.URL.Host != before[0].URL.Host || request.URL.Scheme != before[0].URL.Scheme || len(before) >= 5 {
		return http.ErrUseLastResponse
	}
	return nil
}

// errNoRegistry says that somebody answered otherwise than a registry does.
var errNoRegistry = errors.New("no registry's answer")

// verdict says what a failed try means, nil for one that went well.
func verdict(registry string, err error) error {
	var answer *remote.Error
	var certificate *tls.CertificateVerificationError
	var unknown *net.DNSError
	say := func(kind fault.Kind, format string) error {
		return &fault.Error{Kind: kind, Message: fmt.Sprintf(format, registry), Cause: quiet(err)}
	}
	switch {
	case err == nil:
		return nil
	case errors.As(err, &certificate):
		return say(fault.BadUserInput, "The registry %s shows a certificate that is not trusted: its operator has to serve one of a known authority.")
	case errors.As(err, &answer):
		return answered(answer.StatusCode, say)
	case errors.Is(err, reach.ErrPrivate):
		return say(fault.BadUserInput, "The registry %s is at a private address, which this installation does not ask: its operator can allow it by --private-registries.")
	case errors.Is(err, reach.ErrLocal):
		return say(fault.BadUserInput, "The registry %s is at an address that this installation does not ask, its own or a neighbour's: its operator can allow it by --insecure-registries.")
	case errors.Is(err, errPlain), errors.Is(err, http.ErrSchemeMismatch):
		return say(fault.BadUserInput, "The registry %s speaks plain HTTP, and a password must not travel so: its operator has to serve HTTPS, or the operator of this installation to allow it by --insecure-registries.")
	case errors.Is(err, context.DeadlineExceeded):
		return say(fault.Unavailable, "The registry %s did not answer in time: try again soon.")
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return say(fault.Unavailable, "The registry %s could not be found: check its name, or try again soon.")
	case unreachable(err):
		return say(fault.Unavailable, "The registry %s could not be reached: check its name, or try again soon.")
	default:
		return say(fault.BadUserInput, "%s does not answer as a container registry: check its name.")
	}
}

// unreachable tells whether the way to a registry failed. That an error is a net.Error
// says nothing of that: all of an http.Client's are.
func unreachable(err error) bool {
	var connection *net.OpError
	var name *net.DNSError
	var late interface{ Timeout() bool }
	return errors.As(err, &connection) || errors.As(err, &name) || errors.As(err, &late) && late.Timeout() ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// answered is the verdict over an answer that is not 200.
func answered(status int, say func(fault.Kind, string) error) error {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return say(fault.BadUserInput, "The registry %s refused this login: check the username and the password.")
	case status == http.StatusTooManyRequests:
		return say(fault.RateLimited, "The registry %s takes no more requests just now: try again in a minute.")
	case status >= http.StatusInternalServerError:
		return say(fault.Unavailable, "The registry %s has a failure of its own: try again soon.")
	default:
		return say(fault.BadUserInput, "%s does not answer as a container registry: check its name.")
	}
}

// quiet is an error for the log, in words of ours and numbers alone. What a registry
// chose is left out: it was told the password, perhaps at an earlier try, and might repeat
// it in an answer, or in the name and the path of an address that it leads to.
func quiet(err error) error {
	var answer *remote.Error
	var number syscall.Errno
	var name *net.DNSError
	if errors.As(err, &answer) {
		text := fmt.Sprintf("status %d", answer.StatusCode)
		if answer.Request != nil {
			text = operation(answer.Request) + ": " + text
		}
		return errors.New(text)
	}
	for _, known := range []error{reach.ErrPrivate, reach.ErrLocal, errPlain, http.ErrSchemeMismatch, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	switch {
	case errors.As(err, &name):
		return fmt.Errorf("look-up: %s", name.Err)
	case errors.As(err, &number):
		return number
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return errors.New("the certificate is not trusted")
	case unreachable(err):
		return errors.New("the connection failed")
	default:
		return errNoRegistry
	}
}
