package reach_test

import (
	"errors"
	"net/netip"
	"testing"

	"drydock.dev/drydock/reach"
)

// TestCheck: an address is what it stands for.
func TestCheck(t *testing.T) {
	cases := []struct {
		reason, address     string
		public, withPrivate error
	}{
		{"a public address", "192.0.2.1", nil, nil},
		{"a public address of today", "2001:db8::1", nil, nil},
		{"a private one", "10.1.2.3", reach.ErrPrivate, nil},
		{"a private one of today", "fd00::1", reach.ErrPrivate, nil},
		{"one between carriers", "100.64.0.1", reach.ErrPrivate, nil},
		{"this host", "127.0.0.1", reach.ErrLocal, reach.ErrLocal},
		{"this host, as an IPv6 address", "::ffff:127.0.0.1", reach.ErrLocal, reach.ErrLocal},
		{"the link, on an interface", "fe80::1%eth0", reach.ErrLocal, reach.ErrLocal},
		{"this host, through a translator", "64:ff9b::7f00:1", reach.ErrLocal, reach.ErrLocal},
		{"this host, through a translator and an interface", "64:ff9b::7f00:1%eth0", reach.ErrLocal, reach.ErrLocal},
		{"the clouds' metadata, through a translator", "64:ff9b::a9fe:a9fe", reach.ErrLocal, reach.ErrLocal},
		{"a private one, through a translator", "64:ff9b::a01:203", reach.ErrPrivate, nil},
		{"a public one, through a translator", "64:ff9b::c000:201", nil, nil},
		{"a cloud's metadata at a private address of today", "fd00:ec2::254", reach.ErrLocal, reach.ErrLocal},
		{"another cloud's", "fd20:ce::254", reach.ErrLocal, reach.ErrLocal},
		{"a cloud's metadata at a public address", "168.63.129.16", reach.ErrLocal, reach.ErrLocal},
		{"a cloud's metadata between carriers", "100.100.100.200", reach.ErrLocal, reach.ErrLocal},
		{"this network", "0.1.2.3", reach.ErrLocal, reach.ErrLocal},
		{"a translator of the network's own", "64:ff9b:1::c000:201", reach.ErrPrivate, nil},
		{"the clouds' metadata, by 6to4", "2002:a9fe:a9fe::1", reach.ErrLocal, reach.ErrLocal},
		{"a private one, by 6to4", "2002:c0a8:101::", reach.ErrPrivate, nil},
		{"a public one, by 6to4", "2002:c000:201::1", nil, nil},
	}
	for _, c := range cases {
		address := netip.MustParseAddr(c.address)
		if got := reach.Check(address, false); !errors.Is(got, c.public) {
			t.Errorf("%s: %v, want %v", c.reason, got, c.public)
		}
		if got := reach.Check(address, true); !errors.Is(got, c.withPrivate) {
			t.Errorf("%s, in private networks: %v, want %v", c.reason, got, c.withPrivate)
		}
	}
}
