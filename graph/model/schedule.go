package model

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// maxSchedule bounds a schedule's line, in characters.
const maxSchedule = 100

// legalSchedule keeps out what the library would read as a time zone.
var legalSchedule = regexp.MustCompile(`^[0-9A-Za-z*/,@? -]+$`)

// Schedule is a cron line that was read. Its times are in UTC.
type Schedule struct{ spec *cron.SpecSchedule }

// ParseSchedule reads a cron line of five fields, or @hourly, @daily, @weekly, @monthly,
// @yearly. An error is for people, and follows the field's name.
func ParseSchedule(line string) (*Schedule, error) {
	const legal = "must be a cron line of five fields in UTC, such as 30 4 * * 1-5, or @hourly, @daily, @weekly, @monthly or @yearly"
	if len(line) > maxSchedule || !legalSchedule.MatchString(line) || strings.HasPrefix(line, "@every") {
		return nil, errors.New(legal)
	}
	parsed, err := cron.ParseStandard(line)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", legal, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, errors.New(legal)
	}
	spec.Location = time.UTC
	if spec.Next(time.Unix(0, 0)).IsZero() {
		return nil, errors.New("names a day that never comes")
	}
	return &Schedule{spec}, nil
}

// Next is the first time after another, in UTC.
func (s *Schedule) Next(after time.Time) time.Time { return s.spec.Next(after.UTC()) }

// Latest is the newest time in (after, until]; not ok where there is none.
func (s *Schedule) Latest(after, until time.Time) (latest time.Time, ok bool) {
	// From the end, in steps that double: who was away for a year walks through no year.
	for step := time.Hour; ; step *= 2 {
		from := until.Add(-step)
		if from.Before(after) {
			from = after
		}
		for next := s.Next(from); !next.IsZero() && !next.After(until); next = s.Next(next) {
			latest, ok = next, true
		}
		if ok || !from.After(after) {
			return latest, ok
		}
	}
}

// Interval is the shortest time between two runs, were each day one of its days.
func (s *Schedule) Interval() time.Duration {
	var minutes []int
	for hour := range 24 {
		for minute := range 60 {
			if s.spec.Hour&(1<<hour) != 0 && s.spec.Minute&(1<<minute) != 0 {
				minutes = append(minutes, hour*60+minute)
			}
		}
	}
	shortest := minutes[0] + 24*60 - slices.Max(minutes) // over midnight
	for i := 1; i < len(minutes); i++ {
		shortest = min(shortest, minutes[i]-minutes[i-1])
	}
	return time.Duration(shortest) * time.Minute
}
