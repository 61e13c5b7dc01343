package settings

import "flag"

// Registries says which container registries are asked, and which may speak plain HTTP: the
// same settings in each program.
type Registries struct {
	// Insecure are registries, host or host:port; they are there after Validate.
	Insecure []string
	// Private tells whether registries and git hosts in private networks are asked.
	Private bool

	insecure string
}

// Bind binds the settings to flags.
func (r *Registries) Bind(set *flag.FlagSet) []Setting {
	set.StringVar(&r.insecure, "insecure-registries", "", "")
	set.BoolVar(&r.Private, "private-registries", false, "")
	return []Setting{
		{Flag: "insecure-registries", Env: "DRYDOCK_INSECURE_REGISTRIES", Help: "registries that may speak plain HTTP, host or host:port, separated by commas; for builds those on their own loopback may always"},
		{Flag: "private-registries", Env: "DRYDOCK_PRIVATE_REGISTRIES", Help: "whether registries and git hosts in private networks are asked: by gateways, to try logins, and by the controller, for base images"},
	}
}

// Validate reads the settings.
func (r *Registries) Validate() (err error) {
	r.Insecure, err = hosts("insecure-registries", r.insecure)
	return err
}
