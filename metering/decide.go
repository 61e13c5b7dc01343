package metering

import "errors"

// Why a window cannot be decided.
var (
	// ErrLess: the meter holds less than was billed. Its sums lag, or seconds are missing.
	ErrLess = errors.New("the meter holds less than was billed")
	// ErrUnexplained: no set of builds adds up to what the meter holds.
	ErrUnexplained = errors.New("no set of builds explains what the meter holds")
)

// Decision says what became of a window's unsure builds.
type Decision struct {
	// Counted are on the meter.
	Counted []Build
	// Missing are not, and are to be reported.
	Missing []Build
}

// Decide tells which of a window's unsure builds the meter counted, by what it holds
// there in all.
//
// A window where some are counted and some are not names the missing ones alone. Where
// builds have the same seconds, more than one set explains the sum, and it does not
// matter which is chosen as long as the rest is reported first: the meter refuses one
// that it still knows, the next look knows of it, and only when the sum covers all of
// them are the others taken for counted.
//
// The sum must be settled, see Settled.
func Decide(metered int64, builds []Build) (Decision, error) {
	billed, unsure := split(builds)
	rest := metered - Total(billed)
	switch {
	case rest < 0:
		return Decision{}, ErrLess
	case rest == 0:
		return Decision{Missing: unsure}, nil
	case rest >= Total(unsure):
		return Decision{Counted: unsure}, nil // more than all is somebody else's, and is drift
	}
	missing, found := unexplained(rest, unsure)
	if !found {
		return Decision{}, ErrUnexplained
	}
	return Decision{Missing: missing}, nil
}

// Clear tells whether a window needs no closer look: the meter counted all of its
// unsure builds, or none.
func Clear(metered int64, builds []Build) bool {
	billed, unsure := split(builds)
	rest := metered - Total(billed)
	return rest == 0 || rest == Total(unsure)
}

// Repair tells which builds of a window to report where the meter holds less than was
// billed: those that a set which explains the meter's sum leaves out.
func Repair(metered int64, builds []Build) (missing []Build, err error) {
	billed, _ := split(builds)
	if metered >= Total(billed) {
		return nil, nil
	}
	missing, found := unexplained(metered, builds)
	if !found {
		return nil, ErrUnexplained
	}
	return missing, nil
}

// unexplained finds a set of builds that adds up to a total, and gives the others. The
// same builds in the same order give the same set.
func unexplained(total int64, builds []Build) (others []Build, found bool) {
	if total < 0 || total > Total(builds) {
		return nil, false
	}
	// last[s] is the build that first reached the sum s, with earlier ones alone below it.
	last := map[int64]int{0: -1}
	sums := []int64{0}
	for i, build := range builds {
		for _, sum := range sums[:len(sums):len(sums)] {
			next := sum + build.Seconds
			if _, reached := last[next]; next <= total && !reached {
				last[next] = i
				sums = append(sums, next)
			}
		}
	}
	if _, found = last[total]; !found {
		return nil, false
	}
	chosen := map[int]bool{}
	for sum := total; sum > 0; sum -= builds[last[sum]].Seconds {
		chosen[last[sum]] = true
	}
	for i, build := range builds {
		if !chosen[i] {
			others = append(others, build)
		}
	}
	return others, true
}
