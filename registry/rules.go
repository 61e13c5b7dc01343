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
	// address, besides those on loopback, which may always.
	Insecure []string
	// Private lets registries be asked at addresses of private networks.
	Private bool
}

// Plain tells whether a registry, host[:port], may speak plain HTTP: it is on this very
// host, or the operator says so.
func (r Rules) Plain(registry string) bool {
	host := hostOf(registry)
	return model.Loopback(host) || slices.Contains(r.Insecure, registry) || slices.Contains(r.Insecure, host)
}

// hostOf is host[:port] without the port.
func hostOf(registry string) string {
	if host, _, err := net.SplitHostPort(registry); err == nil {
		return host
	}
	return registry
}

// shared is the address space between carriers and their customers (RFC 6598), which
// some clouds keep their own services in.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// reach tells whether an address that a name stands for may be asked. Loopback and what
// is on the link, such as clouds' metadata services, never may.
func (r Rules) reach(address netip.Addr) bool {
	address = address.Unmap()
	if !address.IsGlobalUnicast() || address.IsLoopback() {
		return false
	}
	return r.Private || !address.IsPrivate() && !shared.Contains(address)
}
