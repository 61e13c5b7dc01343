package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"log/slog"
	"net/textproto"
	"os"
	"regexp"
	"time"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/settings"
)

// minSecret is the shortest secret of a proxy, in bytes.
const minSecret = 16

// headerName is a field name of HTTP (RFC 9110, 5.1).
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// proxyConfig says which proxy in front may tell who is asking.
type proxyConfig struct {
	header, secret, clientCA string

	// authorities are what clientCA holds; nil without.
	authorities *x509.CertPool
}

// tlsConfig says how HTTPS is served; without files it is HTTP.
type tlsConfig struct {
	cert, key string

	// files is nil without.
	files *certificateFiles
}

// authSettings binds the settings of TLS and of a proxy that is trusted.
func (c *config) authSettings(set *flag.FlagSet) []settings.Setting {
	set.StringVar(&c.proxy.header, "trust-header", "", "")
	set.StringVar(&c.proxy.secret, "trust-secret", "", "")
	set.StringVar(&c.proxy.clientCA, "trust-client-ca", "", "")
	set.StringVar(&c.tls.cert, "tls-cert", "", "")
	set.StringVar(&c.tls.key, "tls-key", "", "")
	return []settings.Setting{
		{Flag: "trust-header", Env: "DRYDOCK_TRUST_HEADER", Help: "header in which an authenticating proxy in front tells the user's login, such as X-Forwarded-User; needs trust-secret or trust-client-ca"},
		{Flag: "trust-secret", Env: "DRYDOCK_TRUST_SECRET", Secret: true, Help: "secret that the proxy sends as " + auth.SecretHeader + " to prove itself, at least 16 characters"},
		{Flag: "trust-client-ca", Env: "DRYDOCK_TRUST_CLIENT_CA", Help: "PEM file of the authorities whose client certificates prove the proxy; needs tls-cert and tls-key"},
		{Flag: "tls-cert", Env: "DRYDOCK_TLS_CERT", Help: "PEM file of the certificate chain to serve HTTPS with, read again when it changes; default: HTTP"},
		{Flag: "tls-key", Env: "DRYDOCK_TLS_KEY", Help: "PEM file of its private key"},
	}
}

// validateTLS reads the certificate.
func (c *config) validateTLS() error {
	switch {
	case c.tls.cert == "" && c.tls.key == "":
		return nil
	case c.tls.cert == "":
		return settings.Wrong("tls-cert", "is missing, and the key is there")
	case c.tls.key == "":
		return settings.Wrong("tls-key", "is missing, and the certificate is there")
	}
	c.tls.files = &certificateFiles{cert: c.tls.cert, key: c.tls.key}
	if err := c.tls.files.read(); err != nil {
		return settings.Wrong("tls-cert", "cannot be read with its key: %v", err)
	}
	return nil
}

// validateProxy holds that nobody is trusted without proof.
func (c *config) validateProxy() error {
	p := &c.proxy
	switch {
	case p.header == "" && p.secret != "":
		return settings.Wrong("trust-secret", "is there, and trust-header, which it is for, is not")
	case p.header == "" && p.clientCA != "":
		return settings.Wrong("trust-client-ca", "is there, and trust-header, which it is for, is not")
	case p.header == "":
		return nil
	case !headerName.MatchString(p.header) || notForUsers[textproto.CanonicalMIMEHeaderKey(p.header)]:
		return settings.Wrong("trust-header", "is not a header for a user's name, such as X-Forwarded-User: %q", p.header)
	case p.secret == "" && p.clientCA == "":
		return settings.Wrong("trust-header", "needs trust-secret or trust-client-ca: without proof anybody could send it")
	case p.secret != "" && len(p.secret) < minSecret:
		return settings.Wrong("trust-secret", "has fewer than %d characters; make one with: openssl rand -hex 32", minSecret)
	case p.clientCA == "":
		return nil
	case c.tls.files == nil:
		return settings.Wrong("trust-client-ca", "needs tls-cert and tls-key: client certificates are shown over TLS only")
	}
	pem, err := os.ReadFile(p.clientCA)
	if err != nil {
		return settings.Wrong("trust-client-ca", "cannot be read: %v", err)
	}
	p.authorities = x509.NewCertPool()
	if !p.authorities.AppendCertsFromPEM(pem) {
		return settings.Wrong("trust-client-ca", "holds no certificate in PEM")
	}
	return nil
}

// notForUsers are headers that mean something else.
var notForUsers = map[string]bool{
	"Authorization": true, "Cookie": true, "Host": true, "Origin": true, "Content-Type": true, "Content-Length": true,
	"Connection": true, "Upgrade": true, "X-Request-Id": true, textproto.CanonicalMIMEHeaderKey(auth.SecretHeader): true,
}

// newTrust is the trust in the proxy in front; nil without one.
func (c *config) newTrust(accounts auth.Accounts, log *slog.Logger) (*auth.Trust, error) {
	if c.proxy.header == "" {
		return nil, nil
	}
	return auth.NewTrust(auth.TrustOptions{
		Header: c.proxy.header, Secret: c.proxy.secret, Certificate: c.proxy.authorities != nil,
		Lasts: c.sessionTTL, Accounts: accounts, Log: log, Now: time.Now,
	})
}

// serverTLS is how the listener speaks TLS; nil for HTTP. Client certificates are asked
// for where they prove a proxy, and whoever shows none is served all the same.
func (c *config) serverTLS(log *slog.Logger) *tls.Config {
	if c.tls.files == nil {
		return nil
	}
	made := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.tls.files.get(log)}
	if c.proxy.authorities != nil {
		made.ClientAuth, made.ClientCAs = tls.VerifyClientCertIfGiven, c.proxy.authorities
	}
	return made
}
