// Package reach says which network addresses may be connected to on behalf of somebody
// who names a host: public ones, private ones where the operator allows it, and never
// this host's own or its link's. It is asked about the address that a connection goes to,
// after the name was looked up, so that no second look-up can give another one.
package reach

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
)

var (
	// ErrPrivate says that an address is of a private network.
	ErrPrivate = errors.New("the address is of a private network")
	// ErrLocal says that an address is of this host, of the link, or of none.
	ErrLocal = errors.New("the address is of this host, of the link or of none")
)

var (
	// private are ranges of private networks besides those that netip knows: between carriers
	// and their customers (RFC 6598), which some clouds keep their own services in, and behind
	// a network's own translators to IPv4 (RFC 8215).
	private = []netip.Prefix{netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("64:ff9b:1::/48")}
	// nat64 (RFC 6052) and sixToFour (RFC 3056) stand for IPv4 addresses.
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// Check is nil where an address that a name stands for may be asked, else ErrLocal or
// ErrPrivate. Loopback and what is on the link, such as clouds' metadata services, never
// may; private networks may where they are allowed.
func Check(address netip.Addr, allowPrivate bool) error {
	address = meant(address)
	switch {
	case !address.IsGlobalUnicast() || address.IsLoopback():
		return ErrLocal
	case allowPrivate:
		return nil
	case address.IsPrivate(), slices.ContainsFunc(private, func(p netip.Prefix) bool { return p.Contains(address) }):
		return ErrPrivate
	}
	return nil
}

// Control is a net.Dialer's Control that checks each address before it is connected to.
func Control(allowPrivate bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return Check(to.Addr(), allowPrivate)
	}
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
