package settings

import (
	"flag"
	"net/netip"
	"strings"
)

// Network says what builds may reach.
type Network struct {
	// Cluster are the ranges inside the cluster, which builds do not reach; Allowed are
	// those of them that they do: an own registry, an own git server. They are there after
	// Validate.
	Cluster, Allowed []netip.Prefix

	cluster, allowed string
}

// inside are the ranges of which clusters' pods, services and nodes have their addresses:
// RFC 1918, RFC 6598, link-local (metadata services too) and RFC 4193.
const inside = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,169.254.0.0/16,fc00::/7,fe80::/10"

// Bind binds the settings to flags.
func (n *Network) Bind(set *flag.FlagSet) []Setting {
	set.StringVar(&n.cluster, "cluster-cidrs", inside, "")
	set.StringVar(&n.allowed, "build-egress", "", "")
	return []Setting{
		{Flag: "cluster-cidrs", Env: "DRYDOCK_CLUSTER_CIDRS", Help: "ranges of addresses that builds do not reach, separated by commas: those of pods, services, nodes and the API server"},
		{Flag: "build-egress", Env: "DRYDOCK_BUILD_EGRESS", Help: "ranges within those that builds do reach, such as a registry's: 10.1.2.3/32"},
	}
}

// Validate reads the settings.
func (n *Network) Validate() (err error) {
	if n.Cluster, err = prefixes("cluster-cidrs", n.cluster); err != nil {
		return err
	}
	n.Allowed, err = prefixes("build-egress", n.allowed)
	return err
}

func prefixes(flagName, text string) (found []netip.Prefix, err error) {
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(one)
		if err != nil || prefix.Masked() != prefix || prefix.Addr().Is4In6() {
			return nil, Wrong(flagName, "holds what is not a range such as 10.0.0.0/8: %q", one)
		}
		found = append(found, prefix)
	}
	return found, nil
}
