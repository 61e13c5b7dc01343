package metering_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/metering"
)

var noon = time.Date(2024, time.May, 15, 12, 0, 0, 0, time.UTC)

// builds of one minute: billed ones are named b0, b1, ..., unsure ones u0, u1, ...
func builds(billed, unsure []int64) []metering.Build {
	var made []metering.Build
	for i, seconds := range billed {
		made = append(made, metering.Build{UID: fmt.Sprintf("b%d", i), Finished: noon, Seconds: seconds, Billed: true})
	}
	for i, seconds := range unsure {
		made = append(made, metering.Build{UID: fmt.Sprintf("u%d", i), Finished: noon, Seconds: seconds})
	}
	return made
}

func names(builds []metering.Build) []string {
	var found []string
	for _, build := range builds {
		found = append(found, build.UID)
	}
	return found
}

func TestDecide(t *testing.T) {
	cases := []struct {
		reason           string
		metered          int64
		billed, unsure   []int64
		counted, missing []string
		err              error
		clear            bool
	}{
		{"nothing is on the meter", 0, nil, []int64{60}, nil, []string{"u0"}, nil, true},
		{"the one unsure build is", 60, nil, []int64{60}, []string{"u0"}, nil, nil, true},
		{"another build of the minute hides nothing", 90, []int64{90}, []int64{60}, nil, []string{"u0"}, nil, true},
		{"another one is counted, and so is this", 150, []int64{90}, []int64{60}, []string{"u0"}, nil, nil, true},
		{"one of two: the other is reported first", 60, nil, []int64{60, 30}, nil, []string{"u1"}, nil, false},
		{"two of four, by their sum", 25 + 100, []int64{100}, []int64{7, 11, 14, 20}, nil, []string{"u0", "u3"}, nil, false},
		{"one of two alike: one is reported", 60, nil, []int64{60, 60}, nil, []string{"u1"}, nil, false},
		{"less than was billed", 50, []int64{60}, []int64{60}, nil, nil, metering.ErrLess, false},
		{"what no set explains", 30, nil, []int64{60, 20}, nil, nil, metering.ErrUnexplained, false},
		{"more than all: they are counted, the rest is drift", 100, nil, []int64{60}, []string{"u0"}, nil, nil, false},
		{"nothing is unsure", 60, []int64{60}, nil, nil, nil, nil, true},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			minute := builds(c.billed, c.unsure)
			got, err := metering.Decide(c.metered, minute)
			if !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if diff := cmp.Diff([][]string{c.counted, c.missing}, [][]string{names(got.Counted), names(got.Missing)}); diff != "" {
				t.Errorf("counted and missing (-want +got):\n%s", diff)
			}
			if metering.Clear(c.metered, minute) != c.clear {
				t.Errorf("clear is not %t", c.clear)
			}
		})
	}
}

func TestRepair(t *testing.T) {
	cases := []struct {
		reason         string
		metered        int64
		billed, unsure []int64
		missing        []string
		err            error
	}{
		{"nothing is missing", 90, []int64{60, 30}, nil, nil, nil},
		{"one is", 60, []int64{60, 30}, nil, []string{"b1"}, nil},
		{"all are", 0, []int64{60, 30}, nil, []string{"b0", "b1"}, nil},
		{"one of two alike is", 60, []int64{60, 60}, nil, []string{"b1"}, nil},
		{"an unsure one was counted, a billed one was not", 20, []int64{60}, []int64{20}, []string{"b0"}, nil},
		{"unsure ones are not for a repair", 60, []int64{60}, []int64{20}, nil, nil},
		{"what no set explains", 40, []int64{60, 30}, nil, nil, metering.ErrUnexplained},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			got, err := metering.Repair(c.metered, builds(c.billed, c.unsure))
			if !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if diff := cmp.Diff(c.missing, names(got)); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSettled(t *testing.T) {
	told := func(finished, at time.Duration, billed bool) metering.Build {
		build := metering.Build{Finished: noon.Add(finished), Billed: billed}
		if at != 0 {
			build.Told = noon.Add(at)
		}
		return build
	}
	cases := []struct {
		reason string
		builds []metering.Build
		want   time.Time
	}{
		{"an unsure build: when its last safe report shows", []metering.Build{told(0, 0, false)}, noon.Add(24 * time.Hour)},
		{"a billed one: when its report shows", []metering.Build{told(0, time.Minute, true)}, noon.Add(time.Hour + time.Minute)},
		{"the last of several", []metering.Build{told(0, 0, false), told(0, 40*time.Hour, true), told(0, 30*time.Hour, false)}, noon.Add(41 * time.Hour)},
	}
	for _, c := range cases {
		if got := metering.Settled(c.builds); !got.Equal(c.want) {
			t.Errorf("%s: settled at %s, want %s", c.reason, got, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	build := func(n int, seconds int64, billed bool) metering.Build {
		return metering.Build{UID: fmt.Sprint(n, seconds), Finished: hour(n).Add(17 * time.Minute), Seconds: seconds, Billed: billed}
	}
	all := []metering.Build{build(0, 60, true), build(0, 7, true), build(1, 5, true), build(2, 9, false), build(4, 3, true), build(5, 60, false), build(6, 60, false)}
	metered := map[time.Time]int64{hour(0): 67, hour(1): 9, hour(2): 9, hour(3): 8, hour(5): 45}
	want := []metering.Drift{
		{Login: "ada", Start: hour(1), End: hour(2), Billed: 5, Metered: 9},
		{Login: "ada", Start: hour(3), End: hour(4), Metered: 8},
		{Login: "ada", Start: hour(4), End: hour(5), Billed: 3},
		{Login: "ada", Start: hour(5), End: hour(6), Unsure: 60, Metered: 45}, // neither none nor all of the unsure
	}
	got := metering.Compare("ada", all, metered, time.Hour)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drifts (-want +got):\n%s", diff)
	}
	report := metering.Report{Drifts: got}
	if report.Missing() != 3 || report.Surplus() != 12 {
		t.Errorf("missing %d, surplus %d; want 3 and 12", report.Missing(), report.Surplus())
	}
	within := metering.Within(all, hour(1), hour(4))
	if diff := cmp.Diff([]string{"1 5", "2 9"}, names(within)); diff != "" {
		t.Errorf("within (-want +got):\n%s", diff)
	}
}
