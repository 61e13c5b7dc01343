package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestProxyAndTLSSettings(t *testing.T) {
	authority := newAuthority(t)
	cert, key := authority.issue(t, "drydock")
	const secret = "long-enough-a-secret"
	tests := []struct {
		reason string
		args   []string
		// err is what the one line says; empty where all is well.
		err   string
		check func(*config) bool
	}{
		{"a proxy and its secret; nobody needs GitHub then", []string{"--trust-header", "X-Forwarded-User", "--trust-secret", secret}, "", func(c *config) bool {
			return c.proxy.header == "X-Forwarded-User" && c.serverTLS(slog.Default()) == nil
		}},
		{"HTTPS", []string{"--dev", "--tls-cert", cert, "--tls-key", key}, "", func(c *config) bool { return c.tls.files != nil && c.serverTLS(slog.Default()).ClientCAs == nil }},
		{"a proxy and its certificate", []string{"--trust-header", "X-User", "--trust-client-ca", authority.file, "--tls-cert", cert, "--tls-key", key}, "", func(c *config) bool { return c.serverTLS(slog.Default()).ClientCAs != nil }},

		{"a header that anybody could send", []string{"--trust-header", "X-Forwarded-User"}, "--trust-header (DRYDOCK_TRUST_HEADER) needs trust-secret or trust-client-ca", nil},
		{"a secret for nothing", []string{"--dev", "--trust-secret", secret}, "--trust-secret (DRYDOCK_TRUST_SECRET) is there, and trust-header", nil},
		{"authorities for nothing", []string{"--dev", "--trust-client-ca", authority.file}, "--trust-client-ca (DRYDOCK_TRUST_CLIENT_CA) is there, and trust-header", nil},
		{"a secret that one could guess", []string{"--trust-header", "X-User", "--trust-secret", "hunter2"}, "--trust-secret (DRYDOCK_TRUST_SECRET) has fewer than 16", nil},
		{"a header that means something else", []string{"--trust-header", "authorization", "--trust-secret", secret}, "--trust-header (DRYDOCK_TRUST_HEADER) is not a header for a user's name", nil},
		{"no header's name", []string{"--trust-header", "X User", "--trust-secret", secret}, "--trust-header (DRYDOCK_TRUST_HEADER) is not a header for a user's name", nil},
		{"client certificates without TLS", []string{"--trust-header", "X-User", "--trust-client-ca", authority.file}, "--trust-client-ca (DRYDOCK_TRUST_CLIENT_CA) needs tls-cert and tls-key", nil},
		{"authorities that are not there", []string{"--trust-header", "X-User", "--trust-client-ca", "/nowhere", "--tls-cert", cert, "--tls-key", key}, "--trust-client-ca (DRYDOCK_TRUST_CLIENT_CA) cannot be read", nil},
		{"authorities that are none", []string{"--trust-header", "X-User", "--trust-client-ca", key, "--tls-cert", cert, "--tls-key", key}, "--trust-client-ca (DRYDOCK_TRUST_CLIENT_CA) holds no certificate", nil},
		{"a certificate without its key", []string{"--dev", "--tls-cert", cert}, "--tls-key (DRYDOCK_TLS_KEY) is missing", nil},
		{"a key without its certificate", []string{"--dev", "--tls-key", key}, "--tls-cert (DRYDOCK_TLS_CERT) is missing", nil},
		{"a certificate that is none", []string{"--dev", "--tls-cert", key, "--tls-key", key}, "--tls-cert (DRYDOCK_TLS_CERT) cannot be read with its key", nil},
		{"a certificate that is not there", []string{"--dev", "--tls-cert", "/nowhere", "--tls-key", key}, "--tls-cert (DRYDOCK_TLS_CERT) cannot be read with its key", nil},
	}
	env := map[string]string{"STRIPE_SECRET_KEY": "sk_test_1", "KUBECONFIG": file(t, "{}"), "DRYDOCK_SESSION_KEYS": oneKey}
	getenv := func(name string) string { return env[name] }
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			c, err := readConfig(test.args, getenv, io.Discard)
			switch {
			case test.err == "" && (err != nil || !test.check(c)):
				t.Errorf("%v: %+v", err, c)
			case test.err != "" && (err == nil || !strings.HasPrefix(err.Error(), test.err)):
				t.Errorf("%v, want %s", err, test.err)
			case err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "hunter2")):
				t.Errorf("a secret in %v", err)
			}
			var text bytes.Buffer
			slog.New(slog.NewJSONHandler(&text, nil)).Info("starting", "settings", c)
			if strings.Contains(text.String(), secret) {
				t.Errorf("the log shows the secret: %s", text.String())
			}
		})
	}
}

// TestCertificatesAreRenewed: what is served is the newest certificate that can be read.
func TestCertificatesAreRenewed(t *testing.T) {
	authority := newAuthority(t)
	dir := t.TempDir()
	files := &certificateFiles{cert: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key")}
	age := 0
	put := func(cert, key []byte) {
		age++
		for name, content := range map[string][]byte{files.cert: cert, files.key: key} {
			at := time.Now().Add(time.Duration(age) * time.Second)
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(name, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	issue := func(name string) (cert, key []byte) {
		certFile, keyFile := authority.issue(t, name)
		return []byte(read(t, certFile)), []byte(read(t, keyFile))
	}
	first, firstKey := issue("first")
	put(first, firstKey)
	if err := files.read(); err != nil {
		t.Fatal(err)
	}
	var log journal
	get := files.get(slog.New(slog.NewJSONHandler(&log, nil)))
	steps := []struct {
		reason string
		step   func()
		want   string
		warned bool
	}{
		{"nothing changed", func() {}, "first", false},
		{"it was renewed", func() { put(issue("second")) }, "second", false},
		{"half of it was: the old one is served meanwhile", func() { cert, _ := issue("third"); put(cert, firstKey) }, "second", true},
		{"now it is whole", func() { put(issue("fourth")) }, "fourth", true},
	}
	for _, s := range steps {
		s.step()
		served, err := get(nil)
		if err != nil || served.Leaf.Subject.CommonName != s.want {
			t.Errorf("%s: %v %v, want %s", s.reason, served.Leaf.Subject, err, s.want)
		}
		if warned := log.line("the TLS certificate cannot be read again: the one before is served") != nil; warned != s.warned {
			t.Errorf("%s: warned %t", s.reason, warned)
		}
	}
}
