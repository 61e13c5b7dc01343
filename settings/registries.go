package settings

import "flag"

// Registries says which container registries may speak plain HTTP: the same settings in
// each program.
type Registries struct {
	// Insecure are registries, host or host:port; they are there after Validate.
	Insecure []string

	insecure string
}

// Bind binds the settings to flags.
func (r *Registries) Bind(set *flag.FlagSet) []Setting {
	set.StringVar(&r.insecure, "insecure-registries", "", "")
	return []Setting{
		{Flag: "insecure-registries", Env: "DRYDOCK_INSECURE_REGISTRIES", Help: "registries that may speak plain HTTP, host or host:port, separated by commas; for builds those on their own loopback may always"},
	}
}

// Validate reads the settings.
func (r *Registries) Validate() (err error) {
	r.Insecure, err = hosts("insecure-registries", r.insecure)
	return err
}
