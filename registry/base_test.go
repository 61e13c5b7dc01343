package registry_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/registry"
	"drydock.dev/drydock/registry/registrytest"
)

// put pushes an image of its own to repository:tag, and returns its digest.
func put(t *testing.T, open http.Handler, reference string) string {
	t.Helper()
	image, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	door := httptest.NewServer(open)
	defer door.Close()
	if err := crane.Push(image, strings.TrimPrefix(door.URL, "http://")+"/"+reference); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// busy answers so where a path has such an end.
func busy(next http.Handler, end string, status int, retryAfter string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, end) {
			next.ServeHTTP(w, r)
			return
		}
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
	})
}

// TestBaseDigest asks registries of every kind, without a login.
func TestBaseDigest(t *testing.T) {
	digests := map[http.Handler]string{}
	of := func(auth registrytest.Auth, public bool) *registrytest.Registry {
		made := registrytest.New(registrytest.Options{Auth: auth, Public: public, Username: username, Password: password})
		digests[made] = put(t, made.Open(), "team/base:1")
		return made
	}
	plain, tokens := of(registrytest.None, true), of(registrytest.Token, true)
	behind := serve(t, plain)
	away := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			http.Redirect(w, r, "http://"+behind+r.URL.Path, http.StatusTemporaryRedirect)
		}
	})
	const tag = "/team/base:1"
	cases := []struct {
		reason  string
		handler http.Handler
		tag     string
		digest  string
		kind    fault.Kind
		words   string
		wait    time.Duration
	}{
		{"nobody is asked who it is", plain, tag, digests[plain], "", "", 0},
		{"everybody is given a token", tokens, tag, digests[tokens], "", "", 0},
		{"the manifest is elsewhere", away, tag, digests[plain], "", "", 0},
		{"a login is needed", of(registrytest.Basic, false), tag, "", fault.Forbidden, "/team/base:1 needs a login, and is not watched", 0},
		{"a token is for those who log in", of(registrytest.Token, false), tag, "", fault.Forbidden, "/team/base:1 needs a login, and is not watched", 0},
		{"the tag is gone", plain, "/team/base:2", "", fault.NotFound, "/team/base:2 is not there", 0},
		{"a failure of the registry's", busy(plain, "/manifests/1", http.StatusBadGateway, ""), tag, "", fault.Unavailable, "answered 502", 0},
		{"no digest is told", busy(plain, "/manifests/1", http.StatusOK, ""), tag, "", fault.BadUserInput, "does not tell digests", 0},
		{"too many questions", busy(plain, "/manifests/1", http.StatusTooManyRequests, "120"), tag, "", "", "", 2 * time.Minute},
		{"too many questions for tokens", busy(tokens, "/token", http.StatusTooManyRequests, "120"), tag, "", "", "", 2 * time.Minute},
		{"too many questions at all", busy(plain, "/v2/", http.StatusTooManyRequests, "7200"), tag, "", "", "", 2 * time.Hour},
		{"it is away, and does not say for how long", busy(plain, "/manifests/1", http.StatusServiceUnavailable, ""), tag, "", "", "", time.Minute},
		{"it is away, and says more than a day", busy(plain, "/manifests/1", http.StatusServiceUnavailable, "Fri, 31 Dec 2199 23:59:59 GMT"), tag, "", "", "", 24 * time.Hour},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			base, err := logins(t, here).Base(serve(t, c.handler) + c.tag)
			if err != nil {
				t.Fatal(err)
			}
			digest, err := base.Digest(t.Context())
			var asked *registry.Busy
			if errors.As(err, &asked) != (c.wait > 0) || asked != nil && asked.Wait != c.wait {
				t.Errorf("%v, want to wait for %s", err, c.wait)
			}
			if c.wait == 0 {
				check(t, err, c.kind, c.words)
			}
			if digest != c.digest {
				t.Errorf("digest %q, want %q", digest, c.digest)
			}
		})
	}
	if base, err := logins(t, registry.Rules{}).Base("10.255.0.1:5000/team/base:1"); err != nil {
		t.Error(err)
	} else {
		_, err := base.Digest(t.Context())
		check(t, err, fault.BadUserInput, "--private-registries")
	}
}

// TestBaseNames: what names a digest never moves, and what has no tag is none.
func TestBaseNames(t *testing.T) {
	for reference, tag := range map[string]bool{
		"docker.io/library/alpine:3.20": true, "host:5000/team/base:v1": true, "host:5000/team/base": false,
		"host/team/base@sha256:" + strings.Repeat("a", 64): false, "": false,
	} {
		if _, err := logins(t, here).Base(reference); (err == nil) != tag {
			t.Errorf("%q: %v", reference, err)
		}
	}
}

// TestBaseAgain: what did not move costs one request without an answer's body, and none
// before it.
func TestBaseAgain(t *testing.T) {
	inner := registrytest.New(registrytest.Options{Auth: registrytest.Token, Public: true})
	var asked []string
	tagged := false
	host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := httptest.NewRecorder()
		inner.ServeHTTP(seen, r)
		etag := `"` + seen.Header().Get("Docker-Content-Digest") + `"`
		line := r.Method + " " + r.URL.Path
		for name, values := range seen.Header() {
			w.Header()[name] = values
		}
		if r.Method == http.MethodHead && tagged {
			w.Header().Set("ETag", etag)
		}
		if asks := r.Header.Get("If-None-Match"); asks != "" && asks == etag {
			asked = append(asked, line+" 304")
			w.Header().Del("Docker-Content-Digest")
			w.WriteHeader(http.StatusNotModified)
			return
		}
		asked = append(asked, line)
		w.WriteHeader(seen.Code)
		_, _ = w.Write(seen.Body.Bytes()) // the client may be gone
	}))
	first := put(t, inner.Open(), "team/base:1")
	base, err := logins(t, here).Base(host + "/team/base:1")
	if err != nil {
		t.Fatal(err)
	}
	const head = "HEAD /v2/team/base/manifests/1"
	digest := func(reason, want, requests string) {
		t.Helper()
		asked = nil
		if got, err := base.Digest(t.Context()); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", reason, got, err, want)
		}
		if got := strings.Join(asked, ", "); got != requests {
			t.Errorf("%s: %q, want %q", reason, got, requests)
		}
	}
	digest("the first time", first, "GET /v2/, GET /token, "+head)
	digest("a registry without ETags", first, head)
	tagged = true
	digest("one with them", first, head)
	digest("not moved", first, head+" 304")
	second := put(t, inner.Open(), "team/base:1")
	digest("moved", second, head)
	digest("not moved again", second, head+" 304")
}
