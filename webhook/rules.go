package webhook

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/reach"
)

// lookUpTime bounds the look-up of a host's name when a webhook is set.
const lookUpTime = 3 * time.Second

// Rules say where webhooks may lead: over HTTPS to public addresses.
type Rules struct {
	// Private lets them lead to addresses of private networks too.
	Private bool
	// Hosts, host or host:port, may be at any address, this host's too, and speak plain HTTP.
	Hosts []string
	// Loopback lets them lead to this very host by its own name: for development.
	Loopback bool
}

// vouched tells whether a host[:port] may be at any address.
func (r Rules) vouched(at string) bool {
	host := at
	if name, _, err := net.SplitHostPort(at); err == nil {
		host = name
	}
	return r.Loopback && model.Loopback(host) || slices.Contains(r.Hosts, at) || slices.Contains(r.Hosts, host)
}

// Check is fault.BadUserInput for an address that no webhook may lead to. A name that
// cannot be looked up just now passes: each connection is checked again.
func (r Rules) Check(ctx context.Context, address string) error {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" {
		return fault.New(fault.BadUserInput, "url is not a web address.")
	}
	if r.vouched(at.Host) {
		return nil
	}
	if at.Scheme != "https" {
		return fault.New(fault.BadUserInput, "url must begin with https://.")
	}
	addresses := []netip.Addr{}
	if literal, err := netip.ParseAddr(at.Hostname()); err == nil {
		addresses = append(addresses, literal)
	} else {
		ctx, cancel := context.WithTimeout(ctx, lookUpTime)
		defer cancel()
		addresses, err = net.DefaultResolver.LookupNetIP(ctx, "ip", at.Hostname())
		if unknown := (*net.DNSError)(nil); errors.As(err, &unknown) && unknown.IsNotFound {
			return fault.New(fault.BadUserInput, "There is no host %s: check url.", at.Hostname())
		}
	}
	for _, one := range addresses {
		if err := reach.Check(one, r.Private); err != nil {
			return &fault.Error{Kind: fault.BadUserInput, Message: refusal(err), Cause: err}
		}
	}
	return nil
}

// refusal says why an address is not connected to.
func refusal(err error) string {
	if errors.Is(err, reach.ErrPrivate) {
		return "The webhook's host is at a private address: the operator of this installation can allow it by --private-webhooks."
	}
	return "The webhook's host is at an address that webhooks do not lead to, this installation's own or a neighbour's: its operator can allow it by --webhook-hosts."
}
