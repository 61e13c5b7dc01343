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
	// ErrLocal says that an address is of this host, of the link, of its cloud, or of none.
	ErrLocal = errors.New("the address is of this host, of the link or of none")
)

var (
	// private are ranges of private networks besides those that netip knows: between carriers
	// and their customers (RFC 6598), which some clouds keep their own services in, and behind
	// a network's own translators to IPv4 (RFC 8215).
	private = []netip.Prefix{netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("64:ff9b:1::/48")}
	// neighbours are what clouds give their machines keys and settings by, at addresses that
	// are not the link's: of AWS, Google Cloud, Azure, Alibaba Cloud and Oracle Cloud. "This"
	// network (RFC 791) is this host to some systems.
	neighbours = []netip.Prefix{
		netip.MustParsePrefix("fd00:ec2::/32"), netip.MustParsePrefix("fd20:ce::254/128"), netip.MustParsePrefix("168.63.129.16/32"),
		netip.MustParsePrefix("100.100.100.200/32"), netip.MustParsePrefix("192.0.0.192/32"), netip.MustParsePrefix("0.0.0.0/8"),
	}
	// nat64 (RFC 6052) and sixToFour (RFC 3056) stand for IPv4 addresses.
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// Check is nil where an address that a name stands for may be asked, else ErrLocal or
// ErrPrivate. Loopback, what is on the link, and clouds' metadata services never
// may; private networks may where they are allowed.
func Check(address netip.Addr, allowPrivate bool) error {
	address = meant(address)
	switch {
	case !address.IsGlobalUnicast() || address.IsLoopback() || within(neighbours, address):
		return ErrLocal
	case allowPrivate:
		return nil
	case address.IsPrivate(), within(private, address):
		return ErrPrivate
	}
	return nil
}

func within(ranges []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(address) })
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
