package registry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"drydock.dev/drydock/reach"
)

// TestGuard: what a registry may lead to is what may be asked, and this very host only
// where the registry itself is one that the operator or its own name vouches for.
func TestGuard(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	cases := []struct {
		reason  string
		vouched bool
		url     string
		want    error
	}{
		{"a registry on loopback leads to another one", true, server.URL + "/token", nil},
		{"a public registry leads to loopback", false, server.URL + "/token", errPlain},
		{"a public registry leads to loopback by HTTPS", false, "https://" + address + "/token", reach.ErrLocal},
		{"any registry leads to the link", true, "https://169.254.169.254/", reach.ErrLocal},
		{"any registry leads to a private network", true, "https://192.168.1.1/", reach.ErrPrivate},
	}
	for _, c := range cases {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := newGuard(Rules{Loopback: true}, c.vouched).RoundTrip(request)
		if err == nil {
			_ = response.Body.Close()
		}
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", c.reason, err, c.want)
		}
	}
}
