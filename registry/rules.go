// Package registry tries logins at container registries, and says which registries an
// installation asks, and how: the gateway's one door to registries. Images are pushed
// and pulled by builds, not here.
package registry

import (
	"net"
	"net/netip"
	"slices"

	"drydock.dev/drydock/graph/model"
)

// Rules say which registries may be asked, and how. Over HTTPS all may be that are at
// public addresses.
type Rules struct {
	// Insecure are registries, host or host:port, that may speak plain HTTP and be at any
	// address.
	Insecure []string
	// Private lets registries be asked at addresses of private networks.
	Private bool
	// Loopback makes registries insecure that are on this very host by their own name: for
	// development, and for builds, whose host is their pod.
	Loopback bool
}

// Plain tells whether a registry, host[:port], may speak plain HTTP: the operator says so.
func (r Rules) Plain(registry string) bool {
	host := hostOf(registry)
	return r.Loopback && model.Loopback(host) || slices.Contains(r.Insecure, registry) || slices.Contains(r.Insecure, host)
}

// hostOf is host[:port] without the port.
func hostOf(registry string) string {
	if host, _, err := net.SplitHostPort(registry); err == nil {
		return host
	}
	return registry
}

var (
	// private are ranges of private networks besides those that netip knows: between carriers
	// and their customers (RFC 6598), which some clouds keep their own services in, and behind
	// a network's own translators to IPv4 (RFC 8215).
	private = []netip.Prefix{netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("64:ff9b:1::/48")}
	// nat64 (RFC 6052) and sixToFour (RFC 3056) stand for IPv4 addresses.
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// reach is nil where an address that a name stands for may be asked, else errLocal or
// errPrivate. Loopback and what is on the link, such as clouds' metadata services, never may.
func (r Rules) reach(address netip.Addr) error {
	address = meant(address)
	switch {
	case !address.IsGlobalUnicast() || address.IsLoopback():
		return errLocal
	case r.Private:
		return nil
	case address.IsPrivate(), slices.ContainsFunc(private, func(p netip.Prefix) bool { return p.Contains(address) }):
		return errPrivate
	}
	return nil
}

// meant is the address that another stands for.
func meant(address netip.Addr) netip.Addr {
	address = address.WithZone("").Unmap()
	bytes := address.As16()
	switch {
	case nat64.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[12:]))
	case sixToFour.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	}
	return address
}
