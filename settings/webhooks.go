package settings

import (
	"flag"
	"net/url"
	"strings"
)

// Webhooks says where images' webhooks may lead: the same settings in each program.
type Webhooks struct {
	// Private lets them lead to private networks.
	Private bool
	// Hosts, host or host:port, may be at any address; they are there after Validate.
	Hosts []string

	hosts string
}

// Bind binds the settings to flags.
func (w *Webhooks) Bind(set *flag.FlagSet) []Setting {
	set.BoolVar(&w.Private, "private-webhooks", false, "")
	set.StringVar(&w.hosts, "webhook-hosts", "", "")
	return []Setting{
		{Flag: "private-webhooks", Env: "DRYDOCK_PRIVATE_WEBHOOKS", Help: "whether images' webhooks may lead to addresses of private networks"},
		{Flag: "webhook-hosts", Env: "DRYDOCK_WEBHOOK_HOSTS", Help: "hosts that images' webhooks may lead to at any address, also by plain HTTP; host or host:port, separated by commas"},
	}
}

// Validate reads the settings.
func (w *Webhooks) Validate() (err error) {
	w.Hosts, err = hosts("webhook-hosts", w.hosts)
	return err
}

// hosts reads a list of host or host:port, in lower case.
func hosts(flag, list string) (found []string, err error) {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.ToLower(strings.TrimSpace(one)); one == "" {
			continue
		}
		if at, err := url.Parse("//" + one); err != nil || at.Host != one || at.Hostname() == "" {
			return nil, Wrong(flag, "holds what is not host or host:port: %q", one)
		}
		found = append(found, one)
	}
	return found, nil
}
