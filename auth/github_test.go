package auth_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

const form = "application/x-www-form-urlencoded"

// authorize goes from Drydock to GitHub's page and presses its button; it gives where
// GitHub sends the browser.
func (w *town) authorize(t *testing.T, b *http.Client, begin, login string) *url.URL {
	t.Helper()
	begun := get(t, b, w.drydock.URL+begin)
	if begun.status != http.StatusFound || !strings.HasPrefix(begun.location.String(), w.github.URL+"/login/oauth/authorize?") {
		t.Fatalf("begin: %d %v %s", begun.status, begun.location, begun.text)
	}
	shown := get(t, b, begun.location.String())
	if shown.status != http.StatusOK || !strings.Contains(shown.text, `<form method="post"`) {
		t.Fatalf("GitHub's page: %d %s", shown.status, shown.text)
	}
	fields := begun.location.Query()
	fields.Set("login", login)
	if login == "" {
		fields.Set("deny", "1")
	}
	sent := visit(t, b, http.MethodPost, w.github.URL+"/login/oauth/authorize", form, fields.Encode())
	if sent.status != http.StatusFound {
		t.Fatalf("GitHub's form: %d %s", sent.status, sent.text)
	}
	return sent.location
}

func TestSignInWithGitHub(t *testing.T) {
	tests := []struct {
		reason, begin, login string
		want                 model.Identity
		home                 string
	}{
		{"a public address comes with the profile", "/auth/github", "Ada", model.Identity{Login: "ada", GithubID: 1815, Email: "ada@example.com"}, "/"},
		{"a private one is asked for", "/auth/github", "private", model.Identity{Login: "private", GithubID: 7, Email: "p@example.com"}, "/"},
		{"back to where one was", "/auth/github?return_to=%2Fimages%3Fq%3D1", "Ada", model.Identity{Login: "ada", GithubID: 1815, Email: "ada@example.com"}, "/images?q=1"},
		{"never to another site", "/auth/github?return_to=https%3A%2F%2Fevil.example.com", "Ada", model.Identity{Login: "ada", GithubID: 1815, Email: "ada@example.com"}, "/"},
		{"nor without a scheme", "/auth/github?return_to=%2F%2Fevil.example.com", "Ada", model.Identity{Login: "ada", GithubID: 1815, Email: "ada@example.com"}, "/"},
		{"nor by a backslash", "/auth/github?return_to=%2F%5Cevil.example.com", "Ada", model.Identity{Login: "ada", GithubID: 1815, Email: "ada@example.com"}, "/"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			w, b := build(t, nil), browser(t)
			done := get(t, b, w.authorize(t, b, test.begin, test.login).String())
			if done.status != http.StatusFound || done.location.String() != w.drydock.URL+test.home {
				t.Fatalf("callback: %d %v %s", done.status, done.location, done.text)
			}
			if diff := cmp.Diff([]model.Identity{test.want}, w.people.came); diff != "" {
				t.Error(diff)
			}
			if got := get(t, b, w.drydock.URL+"/who").text; !strings.HasPrefix(got, test.want.Login+" ") {
				t.Errorf("afterwards: %s", got)
			}
		})
	}
}

func TestForgedSignIns(t *testing.T) {
	tests := []struct {
		reason  string
		options func(*auth.GitHubOptions)
		attack  func(t *testing.T, w *town, b *http.Client) page
		status  int
	}{
		{"a callback that nobody asked for", nil, func(t *testing.T, w *town, b *http.Client) page {
			return get(t, b, w.drydock.URL+"/auth/github/callback?code=x&state=y")
		}, 401},
		{"another state", nil, func(t *testing.T, w *town, b *http.Client) page {
			back := w.authorize(t, b, "/auth/github", "ada")
			query := back.Query()
			query.Set("state", "forged")
			back.RawQuery = query.Encode()
			return get(t, b, back.String())
		}, 401},
		{"no state", nil, func(t *testing.T, w *town, b *http.Client) page {
			back := w.authorize(t, b, "/auth/github", "ada")
			query := back.Query()
			query.Del("state")
			back.RawQuery = query.Encode()
			return get(t, b, back.String())
		}, 401},
		{"the attacker's answer in the victim's browser", nil, func(t *testing.T, w *town, b *http.Client) page {
			return get(t, b, w.authorize(t, browser(t), "/auth/github", "mallory").String())
		}, 401},
		{"a code of another sign-in: its verifier is another", nil, func(t *testing.T, w *town, b *http.Client) page {
			stolen := w.authorize(t, browser(t), "/auth/github", "victim").Query().Get("code")
			back := w.authorize(t, b, "/auth/github", "mallory")
			query := back.Query()
			query.Set("code", stolen)
			back.RawQuery = query.Encode()
			return get(t, b, back.String())
		}, 401},
		{"the same answer again", nil, func(t *testing.T, w *town, b *http.Client) page {
			back := w.authorize(t, b, "/auth/github", "ada")
			get(t, b, back.String())
			return get(t, b, back.String())
		}, 401},
		{"the same answer again, with the cookie kept", nil, func(t *testing.T, w *town, b *http.Client) page {
			back := w.authorize(t, b, "/auth/github", "ada")
			kept := b.Jar.Cookies(back)
			get(t, b, back.String())
			w.people.came = nil
			b.Jar.SetCookies(back, kept)
			return get(t, b, back.String())
		}, 401},
		{"an answer that took too long", nil, func(t *testing.T, w *town, b *http.Client) page {
			back := w.authorize(t, b, "/auth/github", "ada")
			w.clock.move(11 * time.Minute)
			return get(t, b, back.String())
		}, 401},
		{"refused at GitHub", nil, func(t *testing.T, w *town, b *http.Client) page {
			return get(t, b, w.authorize(t, b, "/auth/github", "").String())
		}, 401},
		{"a wrong secret is ours to mend", func(o *auth.GitHubOptions) { o.ClientSecret = "wrong" }, func(t *testing.T, w *town, b *http.Client) page {
			return get(t, b, w.authorize(t, b, "/auth/github", "ada").String())
		}, 500},
		{"GitHub is down", nil, func(t *testing.T, w *town, b *http.Client) page {
			back := w.authorize(t, b, "/auth/github", "ada")
			w.github.Close()
			return get(t, b, back.String())
		}, 503},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			w, b := build(t, test.options), browser(t)
			got := test.attack(t, w, b)
			if got.status != test.status || strings.Contains(got.text, "oauth2") {
				t.Errorf("%d: %s", got.status, got.text)
			}
			for _, cookie := range got.cookies {
				if strings.Contains(cookie.Name, "session") {
					t.Error("signed in all the same")
				}
			}
		})
	}
}

func TestAnAccountThatCannotBe(t *testing.T) {
	w, b := build(t, nil), browser(t)
	w.people.fail = fault.Wrap(fault.Unavailable, errors.New("dial tcp: hunter2"))
	got := get(t, b, w.authorize(t, b, "/auth/github", "ada").String())
	if got.status != http.StatusServiceUnavailable || strings.Contains(got.text, "hunter2") {
		t.Errorf("%d: %s", got.status, got.text)
	}
}

func TestDev(t *testing.T) {
	tests := []struct {
		reason, contentType, body string
		status                    int
		text, location            string
	}{
		{"JSON is answered by JSON", "application/json", `{"login":"Ada"}`, 200, `"login":"ada"`, ""},
		{"a form by a redirect", form, "login=ada", 303, "", "/"},
		{"to a local path", form, "login=ada&return_to=/graphiql", 303, "", "/graphiql"},
		{"and to no other", form, "login=ada&return_to=//evil.example.com", 303, "", "/"},
		{"no login", "application/json", `{}`, 400, "BAD_USER_INPUT", ""},
		{"no legal login", "application/json", `{"login":"../ada"}`, 400, "letters, digits", ""},
		{"a login that is too long", "application/json", `{"login":"` + strings.Repeat("a", 40) + `"}`, 400, "BAD_USER_INPUT", ""},
		{"no JSON", "application/json", `login=ada`, 400, "BAD_USER_INPUT", ""},
		{"neither", "text/plain", `ada`, 415, "BAD_USER_INPUT", ""},
		{"too much", "application/json", `{"login":"` + strings.Repeat("a", 20_000) + `"}`, 400, "BAD_USER_INPUT", ""},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			w, b := build(t, nil), browser(t)
			got := visit(t, b, http.MethodPost, w.drydock.URL+"/auth/dev", test.contentType, test.body)
			if got.status != test.status || !strings.Contains(got.text, test.text) {
				t.Fatalf("%d: %s", got.status, got.text)
			}
			if test.location != "" && got.location.String() != w.drydock.URL+test.location {
				t.Errorf("sent to %s", got.location)
			}
			signedIn := strings.HasPrefix(get(t, b, w.drydock.URL+"/who").text, "ada ")
			if signedIn != (got.status < 400) {
				t.Errorf("signed in: %t", signedIn)
			}
			out := visit(t, b, http.MethodPost, w.drydock.URL+"/auth/logout", "", "")
			if out.status != http.StatusNoContent || !strings.HasPrefix(get(t, b, w.drydock.URL+"/who").text, " 0") {
				t.Errorf("still signed in after signing out: %d", out.status)
			}
		})
	}
}

// elsewhere sends what is meant for github.com and its API to the stand-in.
type elsewhere struct{ to *url.URL }

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	switch r.URL.Scheme + "://" + r.URL.Host {
	case "https://api.github.com":
		sent.URL.Path = "/api/v3" + r.URL.Path
	case "https://github.com":
	default:
		return nil, errors.New("neither github.com nor its API: " + r.URL.String())
	}
	sent.URL.Scheme, sent.URL.Host, sent.Host = e.to.Scheme, e.to.Host, ""
	return http.DefaultTransport.RoundTrip(sent)
}

func TestGitHubDotComHasItsAPIElsewhere(t *testing.T) {
	var to *url.URL
	w := build(t, func(o *auth.GitHubOptions) {
		to, _ = url.Parse(o.URL)
		o.URL, o.HTTP = "https://github.com", &http.Client{Transport: elsewhere{to}}
	})
	b := browser(t)
	begun := get(t, b, w.drydock.URL+"/auth/github")
	if begun.location.Host != "github.com" || begun.location.Scheme != "https" {
		t.Fatalf("begin: %s", begun.location)
	}
	fields := begun.location.Query()
	fields.Set("login", "ada")
	back := visit(t, b, http.MethodPost, w.github.URL+begun.location.Path, form, fields.Encode()).location
	if done := get(t, b, back.String()); done.status != http.StatusFound {
		t.Fatalf("callback: %d %s", done.status, done.text)
	}
	if diff := cmp.Diff([]model.Identity{{Login: "ada", GithubID: 1815, Email: "ada@example.com"}}, w.people.came); diff != "" {
		t.Error(diff)
	}
}
