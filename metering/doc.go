// Package metering compares what builds say with what the meter says. It is pure: who
// uses it reads both sides, and acts.
//
// The meter tells sums alone, so what it holds of one build follows from what it holds
// of all that ended in the same window, a minute or an hour.
package metering
