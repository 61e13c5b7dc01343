package auth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/auth/authtest"
	"drydock.dev/drydock/graph/model"
)

// key is the n-th key of the tests, in base64.
func key(n byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{n}, 32)) }

func parse(t *testing.T, text string) *auth.Keys {
	t.Helper()
	keys, err := auth.ParseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// people remembers who signed up.
type people struct {
	mu   sync.Mutex
	came []model.Identity
	fail error
}

func (p *people) SignUp(_ context.Context, id model.Identity) (*model.Account, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return nil, p.fail
	}
	p.came = append(p.came, id)
	return &model.Account{Login: strings.ToLower(id.Login)}, nil
}

// town is a Drydock and a stand-in GitHub, both on loopback.
type town struct {
	drydock, github *httptest.Server
	people          *people
	clock           *clock
	signIn          *auth.SignIn
}

func build(t *testing.T, change func(*auth.GitHubOptions)) *town {
	t.Helper()
	w := &town{people: &people{}, clock: &clock{now: time.Unix(1_800_000_000, 0)}}
	mux := http.NewServeMux()
	w.drydock = httptest.NewServer(mux)
	t.Cleanup(w.drydock.Close)
	w.github = httptest.NewServer(authtest.New(authtest.Options{
		ClientID: "app", ClientSecret: "s3cret", Now: w.clock.Now,
		Users: []authtest.User{{Login: "Ada", ID: 1815, Email: "ada@example.com"}, {Login: "Private", ID: 7, Email: "p@example.com", Private: true}},
	}))
	t.Cleanup(w.github.Close)
	options := auth.GitHubOptions{URL: w.github.URL, ClientID: "app", ClientSecret: "s3cret", PublicURL: w.drydock.URL, HTTP: w.github.Client()}
	if change != nil {
		change(&options)
	}
	sessions := auth.NewSessions(parse(t, key(1)), time.Hour, false, w.clock.Now)
	w.signIn = &auth.SignIn{Sessions: sessions, Accounts: w.people, GitHub: auth.NewGitHub(options), Log: quiet()}
	mux.HandleFunc("GET /auth/github", w.signIn.Begin)
	mux.HandleFunc("GET /auth/github/callback", w.signIn.Callback)
	mux.HandleFunc("POST /auth/dev", w.signIn.Dev)
	mux.HandleFunc("POST /auth/logout", w.signIn.Out)
	mux.Handle("GET /", sessions.Handler(http.HandlerFunc(who)))
	return w
}

// who tells the viewer and the path.
func who(w http.ResponseWriter, r *http.Request) {
	viewer, _ := auth.ViewerFrom(r.Context())
	_, _ = fmt.Fprintf(w, "%s %d at %s", viewer.Login, viewer.GithubID, r.URL.RequestURI())
}

// browser keeps cookies and follows no redirect.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// page is an answer as a browser sees it.
type page struct {
	status   int
	location *url.URL
	text     string
	cookies  []*http.Cookie
}

func visit(t *testing.T, b *http.Client, method, address, contentType, body string) page {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := b.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	location, _ := answer.Location() // nil without one
	return page{answer.StatusCode, location, string(text), answer.Cookies()}
}

func get(t *testing.T, b *http.Client, address string) page {
	t.Helper()
	return visit(t, b, http.MethodGet, address, "", "")
}
