package metering

import (
	"slices"
	"time"
)

// Drift is a window in which the meter does not hold what an account's builds say.
type Drift struct {
	Login      string
	Start, End time.Time
	// Billed are the seconds of builds that were billed, Unsure those of builds that may
	// have been, and Metered is what the meter holds.
	Billed, Unsure, Metered int64
	// Repair are the builds to report, where it is clear which; Why says why it is not.
	Repair []Build
	Why    string
	// Repaired tells that they were reported.
	Repaired bool
}

// Missing are the seconds that were billed and that the meter does not hold.
func (d Drift) Missing() int64 { return max(0, d.Billed-d.Metered) }

// Surplus are the seconds that the meter holds of no build.
func (d Drift) Surplus() int64 { return max(0, d.Metered-d.Billed-d.Unsure) }

// Compare finds an account's windows that drift. The meter's sums are by the start of
// a window, those without any left out; the builds are those of the same time.
func Compare(login string, builds []Build, metered map[time.Time]int64, window time.Duration) []Drift {
	windows := map[time.Time]*Drift{}
	at := func(start time.Time) *Drift {
		if windows[start] == nil {
			windows[start] = &Drift{Login: login, Start: start, End: start.Add(window), Metered: metered[start]}
		}
		return windows[start]
	}
	for start := range metered {
		at(start.UTC())
	}
	for _, build := range builds {
		drift := at(build.Finished.UTC().Truncate(window))
		if build.Billed {
			drift.Billed += build.Seconds
		} else {
			drift.Unsure += build.Seconds
		}
	}
	var found []Drift
	for _, drift := range windows {
		if drift.Missing() > 0 || drift.Surplus() > 0 {
			found = append(found, *drift)
		}
	}
	slices.SortFunc(found, func(a, b Drift) int { return a.Start.Compare(b.Start) })
	return found
}

// Report is what a reconciliation found.
type Report struct {
	// From and To bound what was compared, by the ends of builds.
	From, To time.Time
	// Accounts that built, their Builds, and those builds' Seconds, billed or unsure.
	Accounts, Builds int
	Seconds          int64
	// Drifts are in order of account and time.
	Drifts []Drift
	// Unread are the accounts whose side of the meter could not be read, and why.
	Unread map[string]error
}

// Missing are the seconds of all drifts that the meter does not hold.
func (r *Report) Missing() (total int64) {
	for _, drift := range r.Drifts {
		total += drift.Missing()
	}
	return total
}

// Surplus are the seconds of all drifts that the meter holds of no build.
func (r *Report) Surplus() (total int64) {
	for _, drift := range r.Drifts {
		total += drift.Surplus()
	}
	return total
}
