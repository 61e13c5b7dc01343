package settings

import (
	"flag"
	"time"
)

// Retention says how long ended builds are kept where a plan does not say.
type Retention struct {
	// Builds is how many of an image; all where 0.
	Builds int
	// For is how long after their end; for ever where 0.
	For time.Duration
}

// Bind binds the settings to flags.
func (r *Retention) Bind(set *flag.FlagSet) []Setting {
	set.IntVar(&r.Builds, "keep-builds", 100, "")
	set.DurationVar(&r.For, "keep-builds-for", 90*24*time.Hour, "")
	return []Setting{
		{Flag: "keep-builds", Env: "DRYDOCK_KEEP_BUILDS", Help: "how many builds of an image are kept, unless the plan's metadata drydock.kept_builds says; 0 keeps all"},
		{Flag: "keep-builds-for", Env: "DRYDOCK_KEEP_BUILDS_FOR", Help: "how long after their end builds are kept, unless the plan's metadata drydock.kept_days says; 0 keeps them for ever"},
	}
}

// Validate checks the settings.
func (r *Retention) Validate() error {
	switch {
	case r.Builds < 0:
		return Wrong("keep-builds", "is less than 0: %d", r.Builds)
	case r.For != 0 && r.For < time.Hour:
		return Wrong("keep-builds-for", "is neither 0 nor 1h at least: %s", r.For)
	}
	return nil
}
