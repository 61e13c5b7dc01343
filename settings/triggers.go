package settings

import (
	"flag"
	"time"
)

// Triggers say how often builds may start without anybody asking: the same settings in
// each program.
type Triggers struct {
	// MinInterval is the shortest time between two runs of a schedule.
	MinInterval time.Duration
}

// Bind binds the settings to flags.
func (t *Triggers) Bind(set *flag.FlagSet) []Setting {
	set.DurationVar(&t.MinInterval, "min-schedule-interval", 5*time.Minute, "")
	return []Setting{
		{Flag: "min-schedule-interval", Env: "DRYDOCK_MIN_SCHEDULE_INTERVAL", Help: "the shortest time between two builds of an image's schedule, the same for the gateways and the controller"},
	}
}

// Validate checks the settings.
func (t *Triggers) Validate() error {
	if t.MinInterval < time.Minute {
		return Wrong("min-schedule-interval", "is less than 1m: %s", t.MinInterval)
	}
	return nil
}
