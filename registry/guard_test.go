package registry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
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
		{"a public registry leads to loopback by HTTPS", false, "https://" + address + "/token", errLocal},
		{"any registry leads to the link", true, "https://169.254.169.254/", errLocal},
		{"any registry leads to a private network", true, "https://192.168.1.1/", errPrivate},
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

// TestReach: an address is what it stands for.
func TestReach(t *testing.T) {
	cases := []struct {
		reason, address     string
		public, withPrivate error
	}{
		{"a public address", "192.0.2.1", nil, nil},
		{"a public address of today", "2001:db8::1", nil, nil},
		{"a private one", "10.1.2.3", errPrivate, nil},
		{"a private one of today", "fd00::1", errPrivate, nil},
		{"one between carriers", "100.64.0.1", errPrivate, nil},
		{"this host", "127.0.0.1", errLocal, errLocal},
		{"this host, as an IPv6 address", "::ffff:127.0.0.1", errLocal, errLocal},
		{"the link, on an interface", "fe80::1%eth0", errLocal, errLocal},
		{"this host, through a translator", "64:ff9b::7f00:1", errLocal, errLocal},
		{"this host, through a translator and an interface", "64:ff9b::7f00:1%eth0", errLocal, errLocal},
		{"the clouds' metadata, through a translator", "64:ff9b::a9fe:a9fe", errLocal, errLocal},
		{"a private one, through a translator", "64:ff9b::a01:203", errPrivate, nil},
		{"a public one, through a translator", "64:ff9b::c000:201", nil, nil},
		{"a translator of the network's own", "64:ff9b:1::c000:201", errPrivate, nil},
		{"the clouds' metadata, by 6to4", "2002:a9fe:a9fe::1", errLocal, errLocal},
		{"a private one, by 6to4", "2002:c0a8:101::", errPrivate, nil},
		{"a public one, by 6to4", "2002:c000:201::1", nil, nil},
	}
	for _, c := range cases {
		address := netip.MustParseAddr(c.address)
		if got := (Rules{}).reach(address); !errors.Is(got, c.public) {
			t.Errorf("%s: %v, want %v", c.reason, got, c.public)
		}
		if got := (Rules{Private: true}).reach(address); !errors.Is(got, c.withPrivate) {
			t.Errorf("%s, in private networks: %v, want %v", c.reason, got, c.withPrivate)
		}
	}
}
