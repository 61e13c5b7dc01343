package registry_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/registry"
	"drydock.dev/drydock/registry/registrytest"
)

const (
	username = "ada"
	password = "correct horse:battery\nstaple"
)

// here are the rules of development, where registries are on this very host.
var here = registry.Rules{Loopback: true}

func logins(t *testing.T, rules registry.Rules) *registry.Logins {
	t.Helper()
	return loginsWithin(t, rules, time.Minute)
}

func loginsWithin(t *testing.T, rules registry.Rules, timeout time.Duration) *registry.Logins {
	t.Helper()
	l, err := registry.NewLogins(registry.Options{Rules: rules, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve gives a handler's host:port.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// check holds an error to a kind and some words, and to not telling the password.
func check(t *testing.T, err error, kind fault.Kind, words string) {
	t.Helper()
	if kind == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	if err == nil || fault.KindOf(err) != kind || !strings.Contains(fault.PublicOf(err), words) {
		t.Errorf("got %v, want %s with %q", err, kind, words)
	}
	for _, secret := range []string{"battery", base64.StdEncoding.EncodeToString([]byte(username + ":" + password))} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

// TestTry logs in at registries of every kind.
func TestTry(t *testing.T) {
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="echo"`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, r.Header) // the client is gone
	})
	bearer := func(parameters string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				_, _ = fmt.Fprintf(w, `{"nothing": %q}`, r.Header.Get("Authorization")) // the client may be gone
				return
			}
			w.Header().Set("WWW-Authenticate", "Bearer "+parameters)
			w.WriteHeader(http.StatusUnauthorized)
		})
	}
	tokenless := httptest.NewServer(nil)
	t.Cleanup(tokenless.Close)
	tokenless.Config.Handler = bearer(`realm="` + tokenless.URL + `/token"`)
	options := registrytest.Options{Username: username, Password: password}
	of := func(auth registrytest.Auth) http.Handler {
		with := options
		with.Auth = auth
		return registrytest.New(with)
	}
	var elsewhere *registrytest.Registry
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { elsewhere.TokenServer().ServeHTTP(w, r) }))
	t.Cleanup(tokens.Close)
	elsewhere = registrytest.New(registrytest.Options{Auth: registrytest.Token, Username: username, Password: password, Realm: tokens.URL + "/auth?account=x"})
	told := 0
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			told++
		}
	}))
	t.Cleanup(func() {
		if listener.Close(); told > 0 {
			t.Error("another host was told the login")
		}
	})
	away := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			http.Redirect(w, r, listener.URL+"/v2/", http.StatusFound)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="away"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	remembers := func(realm string) http.Handler {
		return bearer(`realm="` + strings.ReplaceAll(realm, "%", "battery") + `"`)
	}
	cases := []struct {
		reason   string
		registry http.Handler
		password string
		kind     fault.Kind
		words    string
	}{
		{"basic authentication", of(registrytest.Basic), password, "", ""},
		{"basic authentication, wrong", of(registrytest.Basic), "wrong battery", fault.BadUserInput, "refused this login"},
		{"a token server", of(registrytest.Token), password, "", ""},
		{"a token server, wrong", of(registrytest.Token), "wrong battery", fault.BadUserInput, "refused this login"},
		{"a token server elsewhere", elsewhere, password, "", ""},
		{"a token server elsewhere, wrong", elsewhere, "wrong battery", fault.BadUserInput, "refused this login"},
		{"a registry that leads elsewhere with the login", away, password, fault.BadUserInput, "does not answer as a container registry"},
		{"nobody is asked", of(registrytest.None), password, "", ""},
		{"a registry that forbids", status(http.StatusForbidden), password, fault.BadUserInput, "refused this login"},
		{"a web server", status(http.StatusNotFound), password, fault.BadUserInput, "does not answer as a container registry"},
		{"a registry that asks to slow down", status(http.StatusTooManyRequests), password, fault.RateLimited, "no more requests"},
		{"a registry that is broken", status(http.StatusBadGateway), password, fault.Unavailable, "failure of its own"},
		{"a registry that repeats what it is sent", echo, password, fault.BadUserInput, "refused this login"},
		{"a challenge without a token server", bearer(`service="x"`), password, fault.BadUserInput, "does not answer as a container registry"},
		{"a token server that would hear the password in plain text", bearer(`realm="http://token.example.com/token"`), password, fault.BadUserInput, "plain HTTP"},
		{"a token server at the clouds' metadata address", bearer(`realm="https://169.254.169.254/latest"`), password, fault.BadUserInput, "does not ask"},
		{"a password in a token server's name", remembers("https://%.invalid/token"), password, fault.Unavailable, "could not be"},
		{"a password in the name of a token server in plain text", remembers("http://%.example.com/token"), password, fault.BadUserInput, "plain HTTP"},
		{"a password in a redirect that is no address", leads("http://%zzbattery"), password, fault.BadUserInput, "does not answer as a container registry"},
		{"a password in a redirect to itself", leads("/battery"), password, fault.BadUserInput, "does not answer as a container registry"},
		{"a password in an answer that is no HTTP", raw("battery\r\n\r\n"), password, fault.BadUserInput, "does not answer as a container registry"},
		{"a registry that hangs up", raw(""), password, fault.Unavailable, "could not be reached"},
		{"a token server that gives no token, and repeats", tokenless.Config.Handler, password, fault.BadUserInput, "does not answer as a container registry"},
		{"a registry that sends one away to plain HTTP", http.RedirectHandler("http://example.com/v2/", http.StatusFound), password, fault.BadUserInput, "plain HTTP"},
		{"a registry that sends one into the network behind it", http.RedirectHandler("https://10.1.2.3/v2/", http.StatusFound), password, fault.BadUserInput, "private address"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			check(t, logins(t, here).Try(t.Context(), serve(t, c.registry), username, c.password), c.kind, c.words)
		})
	}
}

// leads is a registry that leads those who log in to another place.
func leads(to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="leads"`)
		switch {
		case r.URL.Path != "/v2/":
			w.WriteHeader(http.StatusNotFound)
		case r.Header.Get("Authorization") == "":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}
	})
}

// raw is a registry that answers those who log in with bytes of its own.
func raw(answer string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="raw"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = connection.Write([]byte(answer)) // the client may be gone
			_ = connection.Close()
		}
	})
}

// TestTryUnreachable asks where nobody answers as they should.
func TestTryUnreachable(t *testing.T) {
	const nowhere = "registry.invalid"
	hang, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hang.Close() })
	untrusted := httptest.NewUnstartedServer(registrytest.New(registrytest.Options{}))
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	_, plainPort, err := net.SplitHostPort(serve(t, registrytest.New(registrytest.Options{})))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		reason   string
		registry string
		rules    registry.Rules
		kind     fault.Kind
		words    string
	}{
		{"nobody listens", "127.0.0.1:1", here, fault.Unavailable, "could not be reached"},
		{"nobody answers", hang.Addr().String(), here, fault.Unavailable, "in time"},
		{"a name that is none", nowhere, registry.Rules{}, fault.Unavailable, "could not be"},
		{"a certificate of nobody known", strings.TrimPrefix(untrusted.URL, "https://"), here, fault.BadUserInput, "certificate"},
		{"a private address", "10.255.0.1:5000", registry.Rules{}, fault.BadUserInput, "--private-registries"},
		{"addresses between carriers", "100.64.0.1", registry.Rules{}, fault.BadUserInput, "--private-registries"},
		{"the clouds' metadata service", "169.254.169.254", registry.Rules{Private: true}, fault.BadUserInput, "--insecure-registries"},
		{"no address at all", "0.0.0.0:" + plainPort, registry.Rules{Private: true}, fault.BadUserInput, "--insecure-registries"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			timeout := time.Minute
			if c.registry == hang.Addr().String() || c.registry == nowhere {
				timeout = 2 * time.Second // names may be looked up for long
			}
			check(t, loginsWithin(t, c.rules, timeout).Try(t.Context(), c.registry, username, password), c.kind, c.words)
		})
	}
	t.Run("a caller who gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := logins(t, here).Try(ctx, hang.Addr().String(), username, password); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's own error", err)
		}
	})
}

// TestRules says who may speak plain HTTP.
func TestRules(t *testing.T) {
	rules := registry.Rules{Insecure: []string{"old.example.com", "new.example.com:5000", "127.0.0.1:5000"}}
	development := registry.Rules{Loopback: true}
	cases := []struct {
		host                      string
		production, inDevelopment bool
	}{
		{"localhost", false, true}, {"localhost:5000", false, true}, {"127.0.0.1:80", false, true}, {"127.9.9.9", false, true}, {"[::1]:5000", false, true},
		{"127.0.0.1:5000", true, true},
		{"old.example.com", true, false}, {"old.example.com:5000", true, false}, {"new.example.com:5000", true, false}, {"new.example.com", false, false},
		{"localhost.example.com", false, false}, {"10.0.0.1:5000", false, false}, {"registry.local", false, false},
	}
	for _, c := range cases {
		if got := rules.Plain(c.host); got != c.production {
			t.Errorf("%s: plain HTTP %v, want %v", c.host, got, c.production)
		}
		if got := development.Plain(c.host); got != c.inDevelopment {
			t.Errorf("%s in development: plain HTTP %v, want %v", c.host, got, c.inDevelopment)
		}
	}
}

// TestInsecureIsAllowedByName: an operator's word reaches any address, over plain HTTP.
func TestInsecureIsAllowedByName(t *testing.T) {
	at := serve(t, registrytest.New(registrytest.Options{Auth: registrytest.Basic, Username: username, Password: password}))
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	rules := registry.Rules{Insecure: []string{"0.0.0.0:" + port}} // as 127.0.0.1, by a name that says nothing of it
	check(t, logins(t, rules).Try(t.Context(), "0.0.0.0:"+port, username, password), "", "")
	check(t, logins(t, registry.Rules{}).Try(t.Context(), "0.0.0.0:"+port, username, password), fault.BadUserInput, "--insecure-registries")
}

// TestLoopback: a gateway that is not told otherwise makes no connection to its own host,
// so that nobody learns from an answer what listens there.
func TestLoopback(t *testing.T) {
	var asked atomic.Int64
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.NotFoundHandler(),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				asked.Add(1)
			}
		}}}
	server.Start()
	t.Cleanup(server.Close)
	open := listener.Addr().String()
	_, port, err := net.SplitHostPort(open)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{open, "localhost:" + port, "127.0.0.1:1", "localhost:1"} {
		check(t, logins(t, registry.Rules{Private: true}).Try(t.Context(), at, username, password), fault.BadUserInput, "does not ask")
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("%d connections were made to this host", n)
	}
}
