package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"drydock.dev/drydock/billing/billingtest"
)

// authority issues certificates for tests.
type authority struct {
	file string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = file(t, encodePEM("CERTIFICATE", der))
	return a
}

// issue writes a certificate for a name and loopback, and its key.
func (a *authority) issue(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, encodePEM("CERTIFICATE", der)), file(t, encodePEM("PRIVATE KEY", private))
}

// client trusts the authority, and shows a certificate of another one's, or none where nil.
func (a *authority) client(t *testing.T, shows *authority) *http.Client {
	t.Helper()
	trusted := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	trusted.RootCAs.AddCert(a.cert)
	if shows != nil {
		pair, err := tls.LoadX509KeyPair(shows.issue(t, "proxy"))
		if err != nil {
			t.Fatal(err)
		}
		// Whatever authorities the server names: a forger does not care.
		trusted.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	transport := &http.Transport{TLSClientConfig: trusted, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func encodePEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// TestBehindAProxyWithACertificate runs the whole program with TLS: the proxy's word holds
// by its certificate alone, HTTP/2 and WebSockets work, and so does whoever shows none.
func TestBehindAProxyWithACertificate(t *testing.T) {
	stripe, err := billingtest.New(billingtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stripeServer := httptest.NewServer(stripe)
	defer stripeServer.Close()
	ours, strangers := newAuthority(t), newAuthority(t)
	cert, key := ours.issue(t, "drydock")
	env := map[string]string{
		"DRYDOCK_LISTEN": "127.0.0.1:0", "KUBECONFIG": file(t, nowhere), "DRYDOCK_SESSION_KEYS": oneKey,
		"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_API_BASE": stripeServer.URL,
		"DRYDOCK_TRUST_HEADER": "X-Forwarded-User", "DRYDOCK_TRUST_CLIENT_CA": ours.file,
		"DRYDOCK_TLS_CERT": cert, "DRYDOCK_TLS_KEY": key,
	}
	var log journal
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, nil, func(name string) string { return env[name] }, io.Discard, &log) }()
	defer func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("exit code %d", code)
		}
	}()
	var base string
	eventually(t, "listening", func() bool {
		if line := log.line("listening"); line != nil {
			base, _ = line["publicURL"].(string)
		}
		return base != ""
	})
	if !strings.HasPrefix(base, "https://") {
		t.Fatalf("the public URL is %s", base)
	}

	tests := []struct {
		reason, header string
		client         *http.Client
		want           string
	}{
		{"the proxy's certificate, and a name", "Ada", ours.client(t, ours), `{"data":{"viewer":{"login":"ada"}}}`},
		{"the proxy's certificate, and no name", "", ours.client(t, ours), `{"data":{"viewer":null}}`},
		{"a name without a certificate", "ada", ours.client(t, nil), `{"data":{"viewer":null}}`},
		{"neither", "", ours.client(t, nil), `{"data":{"viewer":null}}`},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/graphql", strings.NewReader(`{"query":"{viewer{login}}"}`))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			if test.header != "" {
				request.Header.Set("X-Forwarded-User", test.header)
			}
			response, err := test.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if err := response.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if response.ProtoMajor != 2 || string(body) != test.want {
				t.Errorf("%s %s: %s", response.Proto, response.Status, body)
			}

			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			conn, upgraded, err := websocket.Dial(ctx, base+"/graphql", &websocket.DialOptions{
				HTTPClient: withoutHTTP2(test.client), HTTPHeader: request.Header, Subprotocols: []string{"graphql-transport-ws"},
			})
			if upgraded != nil && upgraded.Body != nil {
				defer func() { _ = upgraded.Body.Close() }()
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.CloseNow() }()
			for _, m := range []string{`{"type":"connection_init"}`, `{"type":"subscribe","id":"1","payload":{"query":"{viewer{login}}"}}`} {
				if err := conn.Write(ctx, websocket.MessageText, []byte(m)); err != nil {
					t.Fatal(err)
				}
			}
			for _, want := range []string{`"connection_ack"`, test.want} {
				if _, text, err := conn.Read(ctx); err != nil || !strings.Contains(string(text), want) {
					t.Errorf("WebSocket: %s %v, want %s", text, err, want)
				}
			}
		})
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/livez", nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := ours.client(t, strangers).Do(request); err == nil {
		t.Errorf("a stranger's certificate: %s", response.Status)
		_ = response.Body.Close()
	}
	eventually(t, "the dropped name is logged", func() bool {
		return log.line("a user's name came without the proof of a trusted proxy, and was dropped") != nil
	})
}

// withoutHTTP2 is a client as a browser's WebSockets are: over HTTP/1.1.
func withoutHTTP2(client *http.Client) *http.Client {
	transport := client.Transport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = false
	transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
	return &http.Client{Transport: transport}
}
