package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/random"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/registry/registrytest"
)

// privateRegistry is a registry that asks who is there, on a socket, and open is the same one for the test.
type privateRegistry struct {
	*registrytest.Registry
	host, open string
}

func newPrivateRegistry(t *testing.T, auth registrytest.Auth, username, password string) *privateRegistry {
	t.Helper()
	r := &privateRegistry{Registry: registrytest.New(registrytest.Options{Auth: auth, Username: username, Password: password})}
	serve := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return strings.TrimPrefix(server.URL, "http://")
	}
	r.host, r.open = serve(r.Registry), serve(r.Open())
	return r
}

const setCredential = `mutation($in: SetRegistryCredentialInput!) { setRegistryCredential(input: $in) { registryCredential { id registry username } } }`

func credential(registry, username, password string) map[string]any {
	return map[string]any{"in": map[string]any{"registry": registry, "username": username, "password": password}}
}

// TestPrivateRegistries sets logins at registries of each kind and a token for a private git repository, builds from a
// private base image into a private repository, and looks for the passwords everywhere.
func TestPrivateRegistries(t *testing.T) {
	g, c := gateway(t), controller(t)
	for _, auth := range []registrytest.Auth{registrytest.Basic, registrytest.Token} {
		t.Run(string(auth), func(t *testing.T) {
			ada := signIn(t, g.URL, "ada")
			password := "swordfish-" + ada.login
			base := newPrivateRegistry(t, auth, ada.login, password)
			destination := newPrivateRegistry(t, auth, ada.login, password)
			layers, err := random.Image(1024, 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := crane.Push(layers, base.open+"/team/base:v1", crane.Insecure); err != nil {
				t.Fatal(err)
			}
			for reason, one := range map[string]struct{ registry, password, code string }{
				"a wrong password":       {base.host, "wrong-" + password, "BAD_USER_INPUT"},
				"nobody is there":        {"127.0.0.1:1", password, "UNAVAILABLE"},
				"a private address":      {"10.255.255.1", password, "BAD_USER_INPUT"},
				"what is no registry":    {strings.TrimPrefix(house.GitHub, "http://"), password, "BAD_USER_INPUT"},
				"a path is not a host":   {base.host + "/team", password, "BAD_USER_INPUT"},
				"a URL is not a host":    {"http://" + base.host, password, "BAD_USER_INPUT"},
				"a password is a secret": {base.host, "", "BAD_USER_INPUT"},
			} {
				err := ada.Do(within(t, patience), client.Request{Query: setCredential, Variables: credential(one.registry, ada.login, one.password)}, nil)
				var refused client.Errors
				if !errors.As(err, &refused) || refused[0].Extensions.Code != one.code || strings.Contains(err.Error(), password) {
					t.Errorf("%s: %v, want %s", reason, err, one.code)
				}
			}

			looking := lookFor(t, password, ada.login)
			image := ada.createPrivateImage("app", "FROM "+base.host+"/team/base:v1\nCOPY hello /\n", destination.host+"/team/deep/app", password)
			denied := ada.finish(ada.startBuild(image))
			if denied.Phase != "FAILED" || *denied.Reason != "CloneFailed" || !strings.Contains(*denied.Message, "setGitCredential") {
				t.Errorf("without a token for the repository: %v", denied)
			}
			err = ada.Do(within(t, patience), client.Request{Query: `mutation($in: SetGitCredentialInput!) { setGitCredential(input: $in) { image { id } } }`,
				Variables: map[string]any{"in": map[string]any{"image": image, "username": ada.login, "token": "wrong-" + password}}}, nil)
			var refused client.Errors
			if !errors.As(err, &refused) || refused[0].Extensions.Code != "BAD_USER_INPUT" || strings.Contains(err.Error(), password) {
				t.Errorf("a token that the git server refuses: %v, want BAD_USER_INPUT", err)
			}
			ada.do(`mutation($in: SetGitCredentialInput!) { setGitCredential(input: $in) { image { gitCredential { kind host } } } }`,
				map[string]any{"in": map[string]any{"image": image, "username": ada.login, "token": password}}, nil)
			for _, registry := range []string{base.host, destination.host} {
				ada.do(setCredential, credential(registry, ada.login, password), nil)
			}
			built := ada.finish(ada.startBuild(image))
			if built.Phase != "SUCCEEDED" {
				t.Fatalf("with logins: %v", built)
			}
			if digest, err := crane.Digest(destination.open+"/team/deep/app:latest", crane.Insecure); err != nil || digest != *built.Digest {
				t.Errorf("the registry has %s (%v), the build says %s", digest, err, *built.Digest)
			}
			if len(base.Pulls()) == 0 {
				t.Error("the base image was pulled from elsewhere")
			}
			if looking.done(); !looking.saw {
				t.Error("the process list was not looked at while the builds ran")
			}
			ada.checkNotTold(looking, g.Output(), c.Output())
			ada.deleteCredentials()
		})
	}
}

// createPrivateImage makes an image of a Dockerfile, in a repository that wants a token, for a destination.
func (a *actor) createPrivateImage(name, dockerfile, destination, token string) string {
	a.t.Helper()
	repository, err := house.Repository(within(a.t, patience), fmt.Sprintf("private-%d", repositories.Add(1)),
		fstest.MapFS{"Dockerfile": {Data: []byte(dockerfile)}, "hello": {Data: []byte("hello\n")}})
	if err != nil {
		a.t.Fatal(err)
	}
	var data struct {
		CreateImage struct{ Image struct{ ID string } }
	}
	a.do(create, map[string]any{"in": map[string]any{
		"name": name, "source": map[string]any{"repository": a.lockGit(repository, token)}, "destination": destination,
	}}, &data)
	return data.CreateImage.Image.ID
}

// lockGit gives a repository another URL, where it is for those alone who know the actor's token.
func (a *actor) lockGit(repository, token string) string {
	a.t.Helper()
	at, err := url.Parse(repository)
	if err != nil {
		a.t.Fatal(err)
	}
	open := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: at.Scheme, Host: at.Host})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if username, password, _ := r.BasicAuth(); username != a.login || password != token {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.Header.Del("Authorization") // CGI puts headers into the environment, which is the git server's affair
		open.ServeHTTP(w, r)
	}))
	a.t.Cleanup(server.Close)
	return server.URL + at.Path
}

// finish waits for a build's end.
func (a *actor) finish(started build) (ended build) {
	a.t.Helper()
	eventually(a.t, func() error {
		var data struct{ Build build }
		err := a.Do(within(a.t, patience), client.Request{Query: `query($id: ID!) { build(id: $id) { ` + buildFields + ` } }`, Variables: map[string]any{"id": started.ID}}, &data)
		if ended = data.Build; err == nil && !ended.done() {
			return errors.New(ended.String())
		}
		return err
	})
	return ended
}

// deleteCredentials deletes all logins there are, and holds that their Secrets are gone.
func (a *actor) deleteCredentials() {
	a.t.Helper()
	var data struct {
		Viewer struct{ RegistryCredentials []struct{ ID string } }
	}
	a.do(`{ viewer { registryCredentials { id } } }`, nil, &data)
	for _, one := range data.Viewer.RegistryCredentials {
		a.do(`mutation($id: ID!) { deleteRegistryCredential(input: {id: $id}) { deletedID } }`, map[string]any{"id": one.ID}, nil)
	}
	var secrets corev1.SecretList
	if err := kubernetes(a.t).List(within(a.t, patience), &secrets, kube.InNamespace(v1alpha1.Namespace(a.login))); err != nil {
		a.t.Fatal(err)
	}
	if len(data.Viewer.RegistryCredentials) != 2 || len(secrets.Items) != 1 {
		a.t.Errorf("%d logins were told of, %d Secrets are left, and the git token's should be the only one", len(data.Viewer.RegistryCredentials), len(secrets.Items))
	}
}

// lookout looks for a secret in the process list for as long as it runs.
type lookout struct {
	forms [][]byte // what gives the secret away
	saw   bool     // a build tool was in the process list
	done  func()
}

func lookFor(t *testing.T, password, username string) *lookout {
	t.Helper()
	sent := base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
	l := &lookout{forms: [][]byte{[]byte(password), []byte(sent)}}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	l.done = func() { stop(); <-ended }
	t.Cleanup(l.done)
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			files, _ := filepath.Glob("/proc/[0-9]*/*") // the pattern is legal
			for _, file := range files {
				if name := filepath.Base(file); name == "cmdline" || name == "environ" {
					text, _ := os.ReadFile(file) // processes end
					l.check(t, "the process list: "+name, text)
					l.saw = l.saw || bytes.HasPrefix(text, []byte("buildah\x00"))
				}
			}
			<-tick.C
		}
	}()
	return l
}

func (l *lookout) check(t *testing.T, where string, text []byte) {
	for _, form := range l.forms {
		if bytes.Contains(text, form) {
			t.Errorf("%s tells the password", where)
		}
	}
}

// checkNotTold looks for a secret in what programs printed, in the builds' logs, in every object of the account's
// namespace and the namespace itself, and in every file of the stack but etcd's own.
func (a *actor) checkNotTold(l *lookout, printed ...string) {
	a.t.Helper()
	for _, text := range printed {
		l.check(a.t, "a program's output", []byte(text))
	}
	var data any
	a.do(`{ viewer { registryCredentials { id registry username createdAt } builds(first: 10) { edges { node {
		message reason log(first: 10000) { lines { text } } } } } } }`, nil, &data)
	l.check(a.t, "GraphQL", fmt.Append(nil, data))
	c := kubernetes(a.t)
	for _, kind := range []schema.GroupVersionKind{
		{Version: "v1", Kind: "PodList"}, {Version: "v1", Kind: "EventList"}, {Version: "v1", Kind: "ConfigMapList"}, {Version: "v1", Kind: "NamespaceList"},
		{Group: "batch", Version: "v1", Kind: "JobList"}, v1alpha1.GroupVersion.WithKind("BuildList"), v1alpha1.GroupVersion.WithKind("ImageList"),
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		if err := c.List(within(a.t, patience), list); err != nil {
			a.t.Fatal(err)
		}
		text, err := list.MarshalJSON()
		if err != nil || len(list.Items) == 0 {
			a.t.Fatalf("%d of %s: %v", len(list.Items), kind.Kind, err)
		}
		l.check(a.t, kind.Kind, text)
	}
	a.checkFiles(l)
}

// checkFiles waits for what a build's end removes, and looks into all other files.
func (a *actor) checkFiles(l *lookout) {
	a.t.Helper()
	a.checkNothingRuns()
	eventually(a.t, func() error {
		return filepath.WalkDir(house.Dir, func(file string, entry fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "etcd":
				return fs.SkipDir // Secrets are kept there
			case !entry.Type().IsRegular():
				return nil
			}
			text, err := os.ReadFile(file)
			for _, form := range l.forms {
				if err == nil && bytes.Contains(text, form) {
					return fmt.Errorf("%s holds the password", file)
				}
			}
			return nil
		})
	})
}
