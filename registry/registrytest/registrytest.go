// Package registrytest is a container registry that wants to know who asks, for tests:
// the registry of go-containerregistry, which pulls and pushes for real, behind basic or
// token authentication.
package registrytest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Auth is how a registry asks who is there.
type Auth string

// The ways of asking.
const (
	// None asks nobody.
	None Auth = "none"
	// Basic is HTTP's basic authentication (RFC 7617).
	Basic Auth = "basic"
	// Token hands out tokens, each for what was asked for and no more
	// (https://distribution.github.io/distribution/spec/auth/token/).
	Token Auth = "token"
)

// Options say who may come in.
type Options struct {
	Auth Auth
	// Username and Password are those of the one user.
	Username, Password string
	// Only, where set, is the prefix of the repositories that the user may push to, such
	// as team/: anything else is denied.
	Only string
	// Public lets everybody pull; a token is wanted all the same where Auth says so.
	Public bool
	// Realm is where tokens are, such as TokenServer's URL; empty: at the registry itself.
	Realm string
}

// Registry is an http.Handler; it keeps everything in memory.
type Registry struct {
	options Options
	inner   http.Handler

	mu     sync.Mutex
	tokens map[string]grant
	pulls  []string
}

// grant is what a token is good for.
type grant struct {
	actions map[string][]string // by repository
	until   time.Time
}

// New makes an empty registry.
func New(options Options) *Registry {
	return &Registry{options: options, tokens: map[string]grant{},
		inner: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
}

// Pulls are the manifests that somebody who may was given, as repository:tag or
// repository@digest.
func (r *Registry) Pulls() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.pulls)
}

// TokenServer hands out the tokens, for a registry whose Realm is elsewhere.
func (r *Registry) TokenServer() http.Handler { return http.HandlerFunc(r.issue) }

// Open lets one request in without being asked: to look, and to put things there.
func (r *Registry) Open() http.Handler { return r.inner }

// ServeHTTP answers as the OCI distribution specification says.
func (r *Registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.URL.Path == "/token" && r.options.Auth == Token {
		r.issue(w, request)
		return
	}
	repository, action := target(request)
	if !r.admits(request, repository, action) {
		r.challenge(w, request, repository, action)
		return
	}
	if action == "push" && !strings.HasPrefix(repository, r.options.Only) {
		refuse(w, http.StatusForbidden, "DENIED", "requested access to the resource is denied")
		return
	}
	if _, reference, found := strings.Cut(request.URL.Path, "/manifests/"); found && action == "pull" {
		r.mu.Lock()
		r.pulls = append(r.pulls, repository+":"+reference)
		r.mu.Unlock()
	}
	r.inner.ServeHTTP(w, request)
}

// target is what a request wants: a repository, empty for /v2/ itself, and pull or push.
func target(request *http.Request) (repository, action string) {
	action = "push"
	if request.Method == http.MethodGet || request.Method == http.MethodHead {
		action = "pull"
	}
	path := strings.TrimPrefix(request.URL.Path, "/v2/")
	for _, part := range []string{"/manifests/", "/blobs/", "/tags/"} {
		if name, _, found := strings.Cut(path, part); found {
			return name, action
		}
	}
	return "", action
}

func (r *Registry) known(request *http.Request) bool {
	username, password, ok := request.BasicAuth()
	return ok && username == r.options.Username && password == r.options.Password
}

func (r *Registry) admits(request *http.Request, repository, action string) bool {
	switch r.options.Auth {
	case Basic:
		return r.options.Public && action == "pull" && repository != "" || r.known(request)
	case Token:
		text, _ := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
		r.mu.Lock()
		defer r.mu.Unlock()
		token, issued := r.tokens[text]
		return issued && time.Now().Before(token.until) && (repository == "" || slices.Contains(token.actions[repository], action))
	default:
		return true
	}
}

func (r *Registry) challenge(w http.ResponseWriter, request *http.Request, repository, action string) {
	challenge := `Basic realm="registrytest"`
	if r.options.Auth == Token {
		realm := cmp.Or(r.options.Realm, scheme(request)+"://"+request.Host+"/token")
		challenge = `Bearer realm="` + realm + `",service="registrytest"`
		if repository != "" {
			if action == "push" {
				action = "pull,push"
			}
			challenge += `,scope="repository:` + repository + ":" + action + `"`
		}
	}
	w.Header().Set("WWW-Authenticate", challenge)
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
}

// issue hands out a token for the scopes that are asked for, to the one user; to nobody, if
// at all, one for pulls.
func (r *Registry) issue(w http.ResponseWriter, request *http.Request) {
	known := r.known(request)
	if !known && !r.options.Public {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
		return
	}
	token := grant{actions: map[string][]string{}, until: time.Now().Add(time.Minute)}
	for _, scopes := range request.URL.Query()["scope"] {
		for scope := range strings.FieldsSeq(scopes) {
			if parts := strings.Split(scope, ":"); len(parts) == 3 && parts[0] == "repository" {
				token.actions[parts[1]] = []string{"pull"}
				if known {
					token.actions[parts[1]] = strings.Split(parts[2], ",")
				}
			}
		}
	}
	text := rand.Text()
	r.mu.Lock()
	r.tokens[text] = token
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": text, "expires_in": 60}) // the client may be gone
}

func scheme(request *http.Request) string {
	if request.TLS != nil {
		return "https"
	}
	return "http"
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}
