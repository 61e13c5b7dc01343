package settings

import "flag"

// Replicas is where a program's replicas meet: the same settings in each program.
type Replicas struct {
	// Namespace is the one that Drydock runs in.
	Namespace string
	// Service is the one in front of the gateways, whose endpoints are counted.
	Service string
	// Gateways is how many gateways there are; 0: they are counted.
	Gateways int
}

// Bind binds the settings to flags; the namespace's value is its default.
func (r *Replicas) Bind(set *flag.FlagSet) []Setting {
	set.StringVar(&r.Namespace, "namespace", r.Namespace, "")
	set.StringVar(&r.Service, "service", "drydock-gateway", "")
	set.IntVar(&r.Gateways, "replicas", 0, "")
	return []Setting{
		{Flag: "namespace", Env: "DRYDOCK_NAMESPACE", Help: "the namespace that Drydock runs in: of the ConfigMap drydock-notices, the gateways' Service, build strategies and the controller's Lease"},
		{Flag: "service", Env: "DRYDOCK_SERVICE", Help: "the Service of the gateways: its endpoints and the controller that leads share Stripe's rate limits"},
		{Flag: "replicas", Env: "DRYDOCK_REPLICAS", Help: "how many gateways there are; 0 counts the Service's endpoints"},
	}
}

// Validate checks the settings.
func (r *Replicas) Validate() error {
	switch {
	case r.Namespace == "":
		return Wrong("namespace", "is empty")
	case r.Service == "" && r.Gateways == 0:
		return Wrong("service", "is empty, and replicas does not say how many there are")
	case r.Gateways < 0:
		return Wrong("replicas", "is less than 0: %d", r.Gateways)
	}
	return nil
}

// Sharers is how many processes share Stripe's rate limits: the gateways, by the setting
// or as many as were counted, one at least, and the controller that leads.
func (r *Replicas) Sharers(counted int) int {
	if r.Gateways > 0 {
		counted = r.Gateways
	}
	return max(1, counted) + 1
}
