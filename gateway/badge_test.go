package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"drydock.dev/drydock/badge"
	"drydock.dev/drydock/gateway"
)

// TestBadge: everybody sees public images' badges; whether another one is there at all,
// nobody learns.
func TestBadge(t *testing.T) {
	w := serve(t, func(o *gateway.Options) {
		o.Badge = func(login, image string) (badge.State, bool) {
			switch login + "/" + image {
			case "ada/app":
				return badge.Passing, true
			case "ada.lovelace/app":
				return badge.Building, true
			case "ada/new":
				return badge.Unknown, true
			}
			return badge.Failing, false // what is private is not told
		}
	})
	cases := []struct {
		reason, path string
		status       int
		state        badge.State
	}{
		{"a public image", "/badge/ada/app.svg", 200, badge.Passing},
		{"a login in another case is the same one", "/badge/Ada/app.svg", 200, badge.Passing},
		{"a login with a dot", "/badge/ada.lovelace/app.svg", 200, badge.Building},
		{"one that was never built", "/badge/ada/new.svg", 200, badge.Unknown},
		{"a private one", "/badge/ada/secret.svg", 404, badge.Unknown},
		{"one that is not there", "/badge/nobody/nothing.svg", 404, badge.Unknown},
		{"no picture", "/badge/ada/app.png", 404, badge.Unknown},
		{"markup in the name stays there", "/badge/ada/%3Cscript%3E.svg", 404, badge.Unknown},
		{"a path in the name stays there", "/badge/ada/..%2F..%2Fapp.svg", 404, badge.Unknown},
	}
	for _, c := range cases {
		status, header, body := fetch(t, w.URL+c.path, "")
		if status != c.status || !strings.Contains(body, "<title>build: "+string(c.state)+"</title>") {
			t.Errorf("%s: status %d: %s", c.reason, status, body)
		}
		for name, want := range map[string]string{
			"Content-Type": "image/svg+xml; charset=utf-8", "Cache-Control": "public, max-age=30",
			"Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff", "Set-Cookie": "",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", c.reason, name, got, want)
			}
		}
	}
	_, first, _ := fetch(t, w.URL+"/badge/ada/app.svg", "")
	if again, _, body := fetch(t, w.URL+"/badge/ada/app.svg", first.Get("ETag")); again != 304 || body != "" {
		t.Errorf("asked for with its own validator: status %d, %d bytes", again, len(body))
	}
	if other, _, _ := fetch(t, w.URL+"/badge/ada.lovelace/app.svg", first.Get("ETag")); other != 200 {
		t.Errorf("asked for with another's validator: status %d", other)
	}
}

// fetch reads an address, unless it is still as a validator says.
func fetch(t *testing.T, url, etag string) (status int, header http.Header, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if etag != "" {
		request.Header.Set("If-None-Match", etag)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(read)
}
