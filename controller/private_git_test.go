package controller_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/graph/model"
)

const gitToken = "correct-horse-battery-staple"

// locked is the same repositories for those who know the token; heard are the
// Authorization headers of those who asked.
func (g *gitServer) locked() (base string, heard func() []string) {
	backend, err := url.Parse(g.base)
	if err != nil {
		g.t.Fatal(err)
	}
	var mu sync.Mutex
	var headers []string
	through := httputil.NewSingleHostReverseProxy(backend)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		username, password, ok := r.BasicAuth()
		if header := r.Header.Get("Authorization"); header != "" {
			mu.Lock()
			headers = append(headers, header)
			mu.Unlock()
		}
		if !ok || username != "ada" || password != gitToken {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		through.ServeHTTP(w, r)
	}))
	g.t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), headers...)
	}
}

// setGit keeps a credential for an image as the gateway does.
func (w *world) setGit(image *v1alpha1.Image, in model.SetGitCredentialInput) error {
	w.t.Helper()
	gateway, err := cluster.New(cluster.Options{Kubeconfig: w.kubeconfig})
	if err != nil {
		w.t.Fatal(err)
	}
	defer gateway.Close()
	_, err = gateway.SetGitCredential(w.t.Context(), model.Key{Login: w.login, Name: image.Name}, in)
	return err
}

// TestPrivateGitByToken: the token opens the repository, and its submodules on the same
// host; no other host is sent it.
func TestPrivateGitByToken(t *testing.T) {
	w := newWorld(t)
	w.run()
	home, _ := w.git.locked()
	elsewhere, heard := w.git.locked()
	w.git.repository("inner", map[string]string{"deep": "deep\n"})
	for name, submodule := range map[string]string{"near": home, "far": elsewhere} {
		w.git.repository(name, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /\n"})
		w.git.withSubmodule(name, "lib", w.git.url("inner"))
		w.git.moveSubmodule(name, submodule+"/inner.git")
	}
	number := int64(0)
	check := func(reason, repository string, in *model.SetGitCredentialInput, want, words string) {
		t.Helper()
		number++
		image := w.image("app"+string(rune('a'+number)), func(image *v1alpha1.Image) { image.Spec.Source.Repository = repository })
		if in != nil {
			if err := w.setGit(image, *in); err != nil {
				t.Fatal(err)
			}
		}
		build := w.await(w.build(image, number), "ended", ended)
		if build.Status.Reason != want || !strings.Contains(build.Status.Message, words) {
			t.Errorf("%s: %s %q, want %s with %q", reason, build.Status.Reason, build.Status.Message, want, words)
		}
		if strings.Contains(w.log(build)+build.Status.Message, gitToken) {
			t.Errorf("%s: the build tells the token", reason)
		}
	}
	good, wrong := gitToken, "wrong"
	check("no token", home+"/near.git", nil, v1alpha1.ReasonCloneFailed, "set a token or a key")
	check("a wrong token", home+"/near.git", &model.SetGitCredentialInput{Username: "ada", Token: &wrong}, v1alpha1.ReasonCloneFailed, "may not read it")
	check("the token", home+"/near.git", &model.SetGitCredentialInput{Username: "ada", Token: &good}, v1alpha1.ReasonPushed, "")
	check("a submodule elsewhere", home+"/far.git", &model.SetGitCredentialInput{Username: "ada", Token: &good}, v1alpha1.ReasonCloneFailed, "A submodule could not be fetched")
	if told := heard(); len(told) > 0 {
		t.Errorf("another host was sent the token: %v", told)
	}
	w.nothingTells(gitToken)
}

// TestPrivateGitByKey reads a repository over SSH with a deploy key, which goes with its image.
func TestPrivateGitByKey(t *testing.T) {
	w := newWorld(t)
	w.run()
	key, public := newKey(t)
	other, _ := newKey(t)
	repository := "ssh://git@" + w.git.serveSSH(public) + "/sample.git"
	var image *v1alpha1.Image
	for number, c := range []struct {
		reason      string
		key         string
		want, words string
	}{
		{"no key", "", v1alpha1.ReasonCloneFailed, "set a token or a key"},
		{"another key", other, v1alpha1.ReasonCloneFailed, "may not read it"},
		{"the deploy key", key, v1alpha1.ReasonPushed, "pushed"},
	} {
		image = w.image("app"+string(rune('a'+number)), func(image *v1alpha1.Image) { image.Spec.Source.Repository = repository })
		if c.key != "" {
			if err := w.setGit(image, model.SetGitCredentialInput{Username: "git", SSHKey: &c.key}); err != nil {
				t.Fatal(err)
			}
		}
		build := w.await(w.build(image, int64(number+1)), "ended", ended)
		if build.Status.Reason != c.want || !strings.Contains(build.Status.Message, c.words) {
			t.Errorf("%s: %s %q, want %s with %q", c.reason, build.Status.Reason, build.Status.Message, c.want, c.words)
		}
	}
	w.nothingTells(strings.Split(key, "\n")[2])
	var secret corev1.Secret
	if err := w.kube.Get(t.Context(), client.ObjectKeyFromObject(image), image); err != nil {
		t.Fatal(err)
	}
	told := v1alpha1.SecretsOf(image)
	at := client.ObjectKey{Namespace: w.namespace, Name: told.Of(v1alpha1.SecretGit)[0].Secret}
	if err := w.kube.Get(t.Context(), at, &secret); err != nil {
		t.Fatal(err)
	}
	w.delete(image)
	w.eventually("the key goes with its image", func() bool { return apierrors.IsNotFound(w.kube.Get(t.Context(), at, &secret)) })
}

func newKey(t *testing.T) (private string, public ssh.PublicKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "deploy key")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), signer.PublicKey()
}

// serveSSH serves the repositories for reading to one key, and gives host:port.
func (g *gitServer) serveSSH(deploy ssh.PublicKey) string {
	g.t.Helper()
	hostKey, _ := newKey(g.t)
	signer, err := ssh.ParsePrivateKey([]byte(hostKey))
	if err != nil {
		g.t.Fatal(err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(deploy.Marshal()) {
			return nil, errors.New("unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(signer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	var serving sync.WaitGroup
	g.t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			serving.Go(func() { g.session(connection, config) })
		}
	})
	return listener.Addr().String()
}

// session runs git-upload-pack for one connection.
func (g *gitServer) session(connection net.Conn, config *ssh.ServerConfig) {
	defer func() { _ = connection.Close() }()
	server, channels, requests, err := ssh.NewServerConn(connection, config)
	if err != nil {
		return // a key that is not the one
	}
	defer func() { _ = server.Close() }()
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		channel, asked, err := offered.Accept()
		if err != nil {
			return
		}
		for request := range asked {
			if request.Type != "exec" {
				_ = request.Reply(request.Type == "env", nil)
				continue
			}
			_ = request.Reply(true, nil)
			_, path, _ := strings.Cut(string(request.Payload[4:]), " ")
			command := exec.Command("git", "upload-pack", filepath.Join(g.root, strings.Trim(path, "'")))
			command.Stdout, command.Stderr = channel, io.Discard
			in, err := command.StdinPipe()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(in, channel); _ = in.Close() }()
			status := make([]byte, 4)
			if command.Run() != nil {
				status[3] = 1
			}
			_, _ = channel.SendRequest("exit-status", false, status)
			_ = channel.Close()
		}
	}
}
