package conversion

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"slices"
	"time"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	servingLife   = 90 * 24 * time.Hour
	// clockSkew is by how much the API server's clock may be behind.
	clockSkew = time.Hour
)

// The keys of the Secret.
const (
	authoritiesKey  = "ca.crt" // PEM, newest first: what the API server trusts
	authorityKeyKey = "ca.key" // of the newest
	servingKey      = "tls.crt"
	servingKeyKey   = "tls.key"
)

// credentials are what the Secret holds: authorities that are trusted, of which the newest
// signs, and the certificate that every replica serves.
type credentials struct {
	authorities []*x509.Certificate // newest first
	signer      *ecdsa.PrivateKey   // of the first
	serving     *tls.Certificate    // nil where there is none
}

// readCredentials reads a Secret's data. What is not legible is as good as not there.
func readCredentials(data map[string][]byte) credentials {
	var c credentials
	for block, rest := pem.Decode(data[authoritiesKey]); block != nil; block, rest = pem.Decode(rest) {
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			c.authorities = append(c.authorities, certificate)
		}
	}
	pair, err := tls.X509KeyPair(data[authoritiesKey], data[authorityKeyKey])
	signer, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return credentials{}
	}
	c.signer = signer
	if pair, err := tls.X509KeyPair(data[servingKey], data[servingKeyKey]); err == nil {
		c.serving = &pair
	}
	return c
}

// data is what a Secret is to hold.
func (c credentials) data() (map[string][]byte, error) {
	key, err := keyPEM(c.signer)
	if err != nil {
		return nil, err
	}
	data := map[string][]byte{authoritiesKey: c.bundle(), authorityKeyKey: key}
	if c.serving != nil {
		data[servingKey] = certificatePEM(c.serving.Leaf)
		if data[servingKeyKey], err = keyPEM(c.serving.PrivateKey.(*ecdsa.PrivateKey)); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// bundle is every trusted authority in PEM.
func (c credentials) bundle() []byte {
	var all [][]byte
	for _, authority := range c.authorities {
		all = append(all, certificatePEM(authority))
	}
	return bytes.Join(all, nil)
}

// authorityDue tells whether it is time for another authority: half of the newest one's life is over.
func (c credentials) authorityDue(now time.Time) bool {
	return c.signer == nil || now.After(c.authorities[0].NotAfter.Add(-authorityLife/2))
}

// addAuthority makes another authority; the older ones are trusted until they end.
func (c *credentials) addAuthority(now time.Time) error {
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "drydock-conversion"},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(authorityLife),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, IsCA: true,
	}
	authority, key, err := sign(template, nil, nil)
	if err != nil {
		return err
	}
	valid := slices.DeleteFunc(c.authorities, func(old *x509.Certificate) bool { return now.After(old.NotAfter) })
	c.authorities, c.signer = append([]*x509.Certificate{authority}, valid...), key
	return nil
}

// servingDue tells whether it is time for another certificate: two thirds of its life are
// over, it is not good for a host, or nobody trusts who signed it.
func (c credentials) servingDue(now time.Time, hosts []string) bool {
	if c.serving == nil || now.After(c.serving.Leaf.NotAfter.Add(-servingLife/3)) {
		return true
	}
	return slices.ContainsFunc(hosts, func(host string) bool { return c.serving.Leaf.VerifyHostname(host) != nil }) ||
		!slices.ContainsFunc(c.authorities, func(a *x509.Certificate) bool { return c.serving.Leaf.CheckSignatureFrom(a) == nil })
}

// addServing makes another certificate, signed by the newest authority.
func (c *credentials) addServing(now time.Time, hosts []string) error {
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "drydock-conversion"},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(servingLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	leaf, key, err := sign(template, c.authorities[0], c.signer)
	if err != nil {
		return err
	}
	c.serving = &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	return nil
}

// sign makes a certificate with a key of its own, signed by itself where no signer is given.
func sign(template, by *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, nil, err
	}
	if by == nil {
		by, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, by, &key.PublicKey, signer)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(raw)
	return certificate, key, err
}

func certificatePEM(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), err
}
