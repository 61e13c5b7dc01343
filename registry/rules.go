// Package registry tries logins at container registries, asks them what base images are
// now, and says which registries an installation asks, and how: the one door to
// registries. Images are pushed and pulled by builds, not here.
package registry

import (
	"net"
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
