package model_test

import (
	"testing"
	"time"

	"drydock.dev/drydock/graph/model"
)

func TestParseSchedule(t *testing.T) {
	for _, test := range []struct {
		reason, line string
		legal        bool
		interval     time.Duration
	}{
		{"every day", "@daily", true, 24 * time.Hour},
		{"five fields", "30 4 * * 1-5", true, 24 * time.Hour},
		{"names of days and months", "0 0 * JAN-MAR mon", true, 24 * time.Hour},
		{"every minute", "* * * * *", true, time.Minute},
		{"steps that end unevenly", "*/7 * * * *", true, 4 * time.Minute},
		{"over midnight", "58 23,0 * * *", true, time.Hour},
		{"twice around midnight", "1,59 0,23 * * *", true, 2 * time.Minute},
		{"once in four years", "0 0 29 2 *", true, 24 * time.Hour},
		{"nothing", "", false, 0},
		{"seconds", "0 30 4 * * *", false, 0},
		{"too few fields", "30 4 * *", false, 0},
		{"beyond the range", "61 * * * *", false, 0},
		{"a day that never comes", "0 0 30 2 *", false, 0},
		{"an interval has no place in the day", "@every 1h", false, 0},
		{"after a reboot", "@reboot", false, 0},
		{"another time zone", "CRON_TZ=Europe/Berlin 0 0 * * *", false, 0},
		{"a time zone alone", "TZ=UTC", false, 0},
		{"a line break", "0 0 * * *\n", false, 0},
		{"too long", "0 0 * * " + string(make([]byte, 100)), false, 0},
	} {
		schedule, err := model.ParseSchedule(test.line)
		if (err == nil) != test.legal {
			t.Errorf("%s: %v", test.reason, err)
		} else if err == nil && schedule.Interval() != test.interval {
			t.Errorf("%s: an interval of %s, want %s", test.reason, schedule.Interval(), test.interval)
		}
	}
}

// TestLatest holds what was missed to one run: the newest.
func TestLatest(t *testing.T) {
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for _, test := range []struct{ reason, line, after, until, want string }{
		{"nothing is due", "@daily", "2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z", ""},
		{"due this second", "@daily", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z"},
		{"the newest of many", "*/5 * * * *", "2026-03-01T00:00:00Z", "2026-03-09T10:07:00Z", "2026-03-09T10:05:00Z"},
		{"long ago, and once", "0 0 1 1 *", "2020-06-01T00:00:00Z", "2026-03-09T10:07:00Z", "2026-01-01T00:00:00Z"},
		{"a run a minute for ten years", "* * * * *", "2016-03-01T00:00:00Z", "2026-03-01T00:00:30Z", "2026-03-01T00:00:00Z"},
		{"another zone is the same moment", "0 3 * * *", "2026-03-01T03:00:00+02:00", "2026-03-01T06:00:00+02:00", "2026-03-01T03:00:00Z"},
		{"a clock that went back", "@daily", "2026-03-03T00:00:00Z", "2026-03-02T12:00:00Z", ""},
	} {
		schedule, err := model.ParseSchedule(test.line)
		if err != nil {
			t.Fatal(err)
		}
		latest, ok := schedule.Latest(at(test.after), at(test.until))
		if ok != (test.want != "") || ok && !latest.Equal(at(test.want)) {
			t.Errorf("%s: %s, want %s", test.reason, latest, test.want)
		}
	}
}

// FuzzParseSchedule holds that no line panics, and that what is legal goes on for ever.
func FuzzParseSchedule(f *testing.F) {
	for _, line := range []string{"@daily", "*/7 0-23/2 1,15 * mon-fri", "TZ= * * * * *", "? ? ? ? ?", "0 0 29 2 *"} {
		f.Add(line)
	}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, line string) {
		schedule, err := model.ParseSchedule(line)
		if err != nil {
			return
		}
		next := schedule.Next(now)
		if interval := schedule.Interval(); !next.After(now) || interval < time.Minute || interval > 24*time.Hour {
			t.Errorf("%q: next %s, interval %s", line, next, interval)
		}
	})
}
