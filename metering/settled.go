package metering

import "time"

const (
	// SafeFor is how long after its end a build may be reported again and again: the
	// meter knows an identifier for 24 hours at least, and got it after the build's end.
	SafeFor = 23 * time.Hour
	// Settles is how much later the meter's sums surely show what was reported. Stripe
	// gives no figure; seconds to minutes are seen.
	Settles = time.Hour
	// Taken is how long after its end the meter surely takes no build any more: it takes
	// events of the past 35 days.
	Taken = 35 * 24 * time.Hour
	// Kept is how long after its end a build matters.
	Kept = 40 * 24 * time.Hour
)

// Settled is when a window can be decided: all that was reported of it, or may have
// been, shows in the meter's sum by then.
func Settled(builds []Build) time.Time {
	var at time.Time
	for _, build := range builds {
		settled := build.Told.Add(Settles)
		if !build.Billed && build.Finished.Add(SafeFor+Settles).After(settled) {
			settled = build.Finished.Add(SafeFor + Settles)
		}
		if settled.After(at) {
			at = settled
		}
	}
	return at
}
