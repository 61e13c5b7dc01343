package repository_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/repository"
)

const token = "correct-horse-battery-staple"

// serve is git's own server of one repository, app.git, for those who know the token;
// elsewhere is a path that leads to another host.
func serve(t *testing.T, elsewhere string) string {
	t.Helper()
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if out, err := exec.Command("git", "init", "--quiet", "--bare", filepath.Join(root, "app.git")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	backend := &cgi.Handler{Path: filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		username, password, _ := r.BasicAuth()
		switch {
		case strings.HasPrefix(r.URL.Path, "/moved.git/"):
			http.Redirect(w, r, elsewhere, http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/broken.git/"):
			w.WriteHeader(http.StatusBadGateway)
		case username != "ada" || password != token:
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			backend.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestToken tries tokens at git's own server.
func TestToken(t *testing.T) {
	var told []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told = append(told, r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(other.Close)
	base := serve(t, other.URL)
	logins := repository.NewLogins(repository.Options{Loopback: true})
	for _, c := range []struct {
		reason, repository, token string
		refused                   bool
	}{
		{"the token", base + "/app.git", token, false},
		{"a wrong token", base + "/app.git", "wrong", true},
		{"no such repository", base + "/none.git", token, true},
		{"a host that leads elsewhere", base + "/moved.git", token, false},
		{"a host that is out of order", base + "/broken.git", token, false},
		{"nobody is there", "http://127.0.0.1:1/app.git", token, false},
		{"a neighbour of this host is not asked", "https://169.254.169.254/app.git", token, false},
	} {
		err := logins.Try(t.Context(), c.repository, model.SetGitCredentialInput{Username: "ada", Token: &c.token})
		if (err != nil) != c.refused || err != nil && (fault.KindOf(err) != fault.BadUserInput || strings.Contains(err.Error(), c.token)) {
			t.Errorf("%s: %v", c.reason, err)
		}
	}
	if len(told) > 0 {
		t.Errorf("another host was asked, with %v", told)
	}
	strict, wrong := repository.NewLogins(repository.Options{}), "wrong"
	if err := strict.Try(t.Context(), base+"/app.git", model.SetGitCredentialInput{Username: "ada", Token: &wrong}); err != nil {
		t.Errorf("this very host was asked: %v", err)
	}
}

func newKey(t *testing.T) (private string, signer ssh.Signer) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err = ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), signer
}

// TestKey tries keys at an SSH server that takes one of them, of the user git.
func TestKey(t *testing.T) {
	key, signer := newKey(t)
	wrong, host := newKey(t)
	config := &ssh.ServerConfig{PublicKeyCallback: func(who ssh.ConnMetadata, offered ssh.PublicKey) (*ssh.Permissions, error) {
		if who.User() != "git" || string(offered.Marshal()) != string(signer.PublicKey().Marshal()) {
			return nil, errors.New("unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			serving.Go(func() {
				defer func() { _ = connection.Close() }()
				if server, _, requests, err := ssh.NewServerConn(connection, config); err == nil {
					go ssh.DiscardRequests(requests)
					_ = server.Wait()
				}
			})
		}
	})
	logins := repository.NewLogins(repository.Options{Loopback: true})
	for _, c := range []struct {
		reason, repository, key string
		refused                 bool
	}{
		{"the key", "ssh://git@" + listener.Addr().String() + "/app.git", key, false},
		{"another key", "ssh://git@" + listener.Addr().String() + "/app.git", wrong, true},
		{"another user", "ssh://ada@" + listener.Addr().String() + "/app.git", key, true},
		{"nobody is there", "ssh://git@127.0.0.1:1/app.git", key, false},
	} {
		err := logins.Try(t.Context(), c.repository, model.SetGitCredentialInput{Username: "git", SSHKey: &c.key})
		if (err != nil) != c.refused || err != nil && fault.KindOf(err) != fault.BadUserInput {
			t.Errorf("%s: %v", c.reason, err)
		}
	}
}
