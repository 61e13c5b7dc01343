package metering

import (
	"maps"
	"slices"
	"time"
)

// Drift is a window in which the meter does not hold what an account's builds say.
type Drift struct {
	Login string
	// CustomerID is who pays; the login's customer of now where empty.
	CustomerID string
	Start, End time.Time
	// Billed are the seconds of builds that were billed, Unsure those of builds that may
	// have been, and Metered is what the meter holds.
	Billed, Unsure, Metered int64
	// Repair are the builds to report, where it is clear which; Why says why it is not.
	Repair []Build
	Why    string
	// Repaired tells that they were reported.
	Repaired bool
	// Undecided tells that unsure builds wait for somebody to decide by hand: no set of
	// builds explains what the meter holds.
	Undecided bool
}

// Missing are the seconds that were billed and that the meter does not hold.
func (d Drift) Missing() int64 { return max(0, d.Billed-d.Metered) }

// Surplus are the seconds that the meter holds of no build.
func (d Drift) Surplus() int64 { return max(0, d.Metered-d.Billed-d.Unsure) }

// Compare finds an account's windows that drift, or may: those that are not Clear. The
// meter's sums are by the start of a window, those without any left out; the builds are
// those of the same time.
func Compare(login string, builds []Build, metered map[time.Time]int64, window time.Duration) []Drift {
	windows := map[time.Time][]Build{}
	for start := range metered {
		windows[start.UTC()] = nil
	}
	for _, build := range builds {
		start := build.Finished.UTC().Truncate(window)
		windows[start] = append(windows[start], build)
	}
	var found []Drift
	for _, start := range slices.SortedFunc(maps.Keys(windows), time.Time.Compare) {
		if within := windows[start]; !Clear(metered[start], within) {
			billed, unsure := split(within)
			found = append(found, Drift{
				Login: login, Start: start, End: start.Add(window), Billed: Total(billed), Unsure: Total(unsure), Metered: metered[start],
			})
		}
	}
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

// Count adds the builds of an account.
func (r *Report) Count(builds []Build) {
	r.Accounts, r.Builds, r.Seconds = r.Accounts+1, r.Builds+len(builds), r.Seconds+Total(builds)
}

// Missing are the seconds of all drifts that the meter does not hold.
func (r *Report) Missing() (total int64) {
	for _, drift := range r.Drifts {
		total += drift.Missing()
	}
	return total
}

// Undecided are the unsure seconds of all drifts that wait for a decision by hand.
func (r *Report) Undecided() (total int64) {
	for _, drift := range r.Drifts {
		if drift.Undecided {
			total += drift.Unsure
		}
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
