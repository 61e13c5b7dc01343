package e2e

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"drydock.dev/drydock/e2e/browser"
)

// setDeployKey gives the key of an image whose repository is read over SSH, after two that are not good.
func (v *visitor) setDeployKey(a *actor) {
	v.t.Helper()
	key, public := newKey(v.t)
	other, _ := newKey(v.t)
	a.createImage("keyed", "ssh://git@"+serveSSH(v.t, public)+"/app.git")
	v.do("go to the other image", browser.Click(`header nav a[href="/"]`), browser.Press("keyed"), browser.Press("Secrets"), browser.Shows("#main label", "Private key"))
	v.do("give what is no key", browser.Fill("Private key", "no key"), browser.Press("Try and save"))
	v.see("what it should be", "#main form", "PEM")
	v.do("give another key", browser.Fill("Private key", other), browser.Press("Try and save"))
	v.see("that the host refuses it", `#main form [role="alert"]`, "does not let this credential read the repository")
	v.do("give the right one", browser.Fill("Private key", key), browser.Press("Try and save"))
	v.see("that it is kept", "#main li", "A deploy key")
	line := strings.Split(key, "\n")[2]
	v.do("see no key any more", browser.Holds(`![...document.querySelectorAll("textarea")].some(each => each.value.includes("`+line+`"))`))
}

// newKey makes a deploy key.
func newKey(t *testing.T) (private string, public ssh.PublicKey) {
	t.Helper()
	public25519, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	public, err = ssh.NewPublicKey(public25519)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), public
}

// serveSSH lets in those alone who have the key, at host:port. Nobody who is in can do anything.
func serveSSH(t *testing.T, key ssh.PublicKey) (host string) {
	t.Helper()
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, offered ssh.PublicKey) (*ssh.Permissions, error) {
		if string(offered.Marshal()) != string(key.Marshal()) {
			return nil, errors.New("another key")
		}
		return &ssh.Permissions{}, nil
	}}
	_, own, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(own)
	if err != nil {
		t.Fatal(err)
	}
	config.AddHostKey(signer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			go shake(connection, config)
		}
	}()
	return listener.Addr().String()
}

// shake shakes hands with one who comes, and shows them out.
func shake(connection net.Conn, config *ssh.ServerConfig) {
	defer func() { _ = connection.Close() }()
	if server, _, requests, err := ssh.NewServerConn(connection, config); err == nil {
		go ssh.DiscardRequests(requests)
		_ = server.Wait() // until they hang up
	}
}
