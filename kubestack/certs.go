package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	authorityLifetime   = 10 * 365 * 24 * time.Hour
	certificateLifetime = 365 * 24 * time.Hour // renewed on every start
)

// keyPair names the PEM files of a certificate and its private key.
type keyPair struct{ Cert, Key string }

// authority is a certificate authority whose files survive restarts.
type authority struct {
	keyPair
	certificate *x509.Certificate
	signer      crypto.Signer
}

// identity is what a certificate says about its holder: user and groups for the API server, hosts for servers.
type identity struct {
	CommonName   string
	Organization []string
	Hosts        []string
}

// loadAuthority reads the authority of a name from dir, or makes it when it is not there.
func loadAuthority(dir, name string) (*authority, error) {
	pair := keyPair{filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")}
	a := &authority{keyPair: pair}
	var err error
	if a.signer, err = loadKey(pair.Key); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(pair.Cert)
	if errors.Is(err, fs.ErrNotExist) {
		return a, a.selfSign(name)
	}
	if err != nil {
		return nil, fmt.Errorf("read certificate authority: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM certificate: remove the directory to start anew", pair.Cert)
	}
	a.certificate, err = x509.ParseCertificate(block.Bytes)
	return a, err
}

func (a *authority) selfSign(name string) error {
	template := &x509.Certificate{
		SerialNumber:          serialNumber(),
		Subject:               pkix.Name{CommonName: "kubestack " + name},
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().Add(authorityLifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.signer.Public(), a.signer)
	if err != nil {
		return fmt.Errorf("make certificate authority: %w", err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	return writePEM(a.Cert, "CERTIFICATE", der)
}

// issue writes a fresh certificate for who, good for serving its hosts and for being a client.
func (a *authority) issue(file string, who identity) (keyPair, error) {
	dir := filepath.Dir(a.Cert)
	pair := keyPair{filepath.Join(dir, file+".crt"), filepath.Join(dir, file+".key")}
	signer, err := loadKey(pair.Key)
	if err != nil {
		return pair, err
	}
	template := &x509.Certificate{
		SerialNumber: serialNumber(),
		Subject:      pkix.Name{CommonName: who.CommonName, Organization: who.Organization},
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(certificateLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, host := range who.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, signer.Public(), a.signer)
	if err != nil {
		return pair, fmt.Errorf("issue certificate %s: %w", file, err)
	}
	return pair, writePEM(pair.Cert, "CERTIFICATE", der)
}

// loadKey reads a private key, or makes it when it is not there.
func loadKey(path string) (crypto.Signer, error) {
	data, err := os.ReadFile(path)
	if err == nil {
		block, _ := pem.Decode(data)
		if block == nil {
			return nil, fmt.Errorf("%s holds no PEM key: remove the directory to start anew", path)
		}
		return x509.ParseECPrivateKey(block.Bytes)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read key: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(path, "EC PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return writeFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// writeFile writes a file for the owner's eyes, whole or not at all.
func writeFile(path string, data []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	if _, err := temporary.Write(data); err != nil {
		_ = temporary.Close()
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

func serialNumber() *big.Int {
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic(err) // crypto/rand does not fail (its documentation)
	}
	return number
}
