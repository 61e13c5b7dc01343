package metering

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Build is one ended build's seconds.
type Build struct {
	UID      string
	Finished time.Time
	Seconds  int64
	// Billed tells that the meter took the seconds, as the build's status or the ledger
	// has it. Of any other build that is unsure: the meter's answer may have been lost.
	Billed bool
	// Told is when the meter was last told of the build; zero where nobody knows.
	Told time.Time
	// CustomerID is who pays; the login's customer of now where empty.
	CustomerID string
}

// Total is the builds' seconds.
func Total(builds []Build) int64 {
	var total int64
	for _, build := range builds {
		total += build.Seconds
	}
	return total
}

// Within are the builds that finished in [from, to), in order of their end.
func Within(builds []Build, from, to time.Time) []Build {
	var found []Build
	for _, build := range builds {
		if !build.Finished.Before(from) && build.Finished.Before(to) {
			found = append(found, build)
		}
	}
	slices.SortFunc(found, func(a, b Build) int {
		return cmp.Or(a.Finished.Compare(b.Finished), strings.Compare(a.UID, b.UID))
	})
	return found
}

// Unsure are the builds of which nobody knows whether the meter took them.
func Unsure(builds []Build) []Build {
	_, unsure := split(builds)
	return unsure
}

// split parts the builds into those that were billed and those that are unsure.
func split(builds []Build) (billed, unsure []Build) {
	for _, build := range builds {
		if build.Billed {
			billed = append(billed, build)
		} else {
			unsure = append(unsure, build)
		}
	}
	return billed, unsure
}
