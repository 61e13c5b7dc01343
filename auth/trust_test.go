package auth_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

const proxySecret = "a-secret-of-the-proxy"

// trust is what a proxy must show, and who came through it.
func trust(t *testing.T, secret string, certificate bool, people *people, log *slog.Logger, now func() time.Time) *auth.Trust {
	t.Helper()
	made, err := auth.NewTrust(auth.TrustOptions{
		Header: "X-Forwarded-User", Secret: secret, Certificate: certificate,
		Lasts: time.Hour, Accounts: people, Log: log, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestTrust(t *testing.T) {
	verified := &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{}}}}
	tests := []struct {
		reason      string
		secret      string
		certificate bool
		header      map[string][]string
		tls         *tls.ConnectionState
		login       string
		kind        fault.Kind
	}{
		{reason: "the secret is right", secret: proxySecret, header: map[string][]string{"X-Forwarded-User": {"Ada"}, auth.SecretHeader: {proxySecret}}, login: "ada"},
		{reason: "the secret is wrong", secret: proxySecret, header: map[string][]string{"X-Forwarded-User": {"ada"}, auth.SecretHeader: {proxySecret + "x"}}},
		{reason: "no secret", secret: proxySecret, header: map[string][]string{"X-Forwarded-User": {"ada"}}},
		{reason: "an empty secret", secret: proxySecret, header: map[string][]string{"X-Forwarded-User": {"ada"}, auth.SecretHeader: {""}}},
		{reason: "two secrets, one guessed", secret: proxySecret, header: map[string][]string{"X-Forwarded-User": {"ada"}, auth.SecretHeader: {"guess", proxySecret}}},
		{reason: "the proxy names nobody", secret: proxySecret, header: map[string][]string{auth.SecretHeader: {proxySecret}}},
		{reason: "the proxy's name is empty", secret: proxySecret, header: map[string][]string{"X-Forwarded-User": {""}, auth.SecretHeader: {proxySecret}}},
		{reason: "two names: a client's own went through", secret: proxySecret, header: map[string][]string{"X-Forwarded-User": {"root", "ada"}, auth.SecretHeader: {proxySecret}}, kind: fault.Forbidden},
		{reason: "an address is no login", secret: proxySecret, header: map[string][]string{"X-Forwarded-User": {"ada@example.com"}, auth.SecretHeader: {proxySecret}}, kind: fault.Forbidden},
		{reason: "a certificate that was verified", certificate: true, header: map[string][]string{"X-Forwarded-User": {"ada"}}, tls: verified, login: "ada"},
		{reason: "TLS without a certificate", certificate: true, header: map[string][]string{"X-Forwarded-User": {"ada"}}, tls: &tls.ConnectionState{}},
		{reason: "no TLS", certificate: true, header: map[string][]string{"X-Forwarded-User": {"ada"}}},
		{reason: "a secret where a certificate is asked for", certificate: true, header: map[string][]string{"X-Forwarded-User": {"ada"}, auth.SecretHeader: {proxySecret}}},
		{reason: "both are asked for, one came", secret: proxySecret, certificate: true, header: map[string][]string{"X-Forwarded-User": {"ada"}}, tls: verified},
		{reason: "both came", secret: proxySecret, certificate: true, header: map[string][]string{"X-Forwarded-User": {"ada"}, auth.SecretHeader: {proxySecret}}, tls: verified, login: "ada"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			people := &people{}
			request := httptest.NewRequest(http.MethodGet, "/graphql", nil)
			for name, values := range test.header {
				request.Header[http.CanonicalHeaderKey(name)] = values
			}
			request.TLS = test.tls
			proxy := trust(t, test.secret, test.certificate, people, quiet(), time.Now)
			viewer, ok, err := proxy.Viewer(request, proxy.Take(request))
			if viewer.Login != test.login || ok != (test.login != "") || (err != nil) != (test.kind != "") || err != nil && fault.KindOf(err) != test.kind {
				t.Errorf("%q %t %v", viewer.Login, ok, err)
			}
			var came []model.Identity
			if test.login != "" {
				came = []model.Identity{{Login: test.login}}
			}
			if diff := cmp.Diff(came, people.came); diff != "" {
				t.Errorf("signed up: %s", diff)
			}
			if len(request.Header) != 0 {
				t.Errorf("headers go further: %v", request.Header)
			}
		})
	}
}

func TestTrustWithoutProofIsLoggedSparingly(t *testing.T) {
	var log bytes.Buffer
	clock := &clock{now: time.Unix(1_800_000_000, 0)}
	proxy := trust(t, proxySecret, false, &people{}, slog.New(slog.NewTextHandler(&log, nil)), clock.Now)
	knock := func() {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Header.Set("X-Forwarded-User", "ada")
		request.Header.Set(auth.SecretHeader, "guessed")
		if _, ok, err := proxy.Viewer(request, proxy.Take(request)); ok || err != nil {
			t.Fatalf("%t %v", ok, err)
		}
	}
	for range 100 {
		knock()
	}
	clock.move(time.Minute)
	knock()
	if lines := strings.Count(log.String(), "\n"); lines != 2 || strings.Contains(log.String(), "guessed") {
		t.Errorf("%d lines: %s", lines, log.String())
	}
}

func TestTrustWhenAccountsAreAway(t *testing.T) {
	down := &fault.Error{Kind: fault.Unavailable}
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("X-Forwarded-User", "ada")
	request.Header.Set(auth.SecretHeader, proxySecret)
	proxy := trust(t, proxySecret, false, &people{fail: down}, quiet(), time.Now)
	if _, _, err := proxy.Viewer(request, proxy.Take(request)); !errors.Is(err, down) {
		t.Errorf("%v", err)
	}
}

func TestTrustNeedsProof(t *testing.T) {
	if _, err := auth.NewTrust(auth.TrustOptions{Header: "X-Forwarded-User", Lasts: time.Hour, Accounts: &people{}, Log: quiet(), Now: time.Now}); err == nil {
		t.Error("anybody could send the header")
	}
}
