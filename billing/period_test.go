package billing

import (
	"testing"
	"time"

	"drydock.dev/drydock/graph/model"
)

// TestPeriodOf tells the spans of cycles that no calendar month is.
func TestPeriodOf(t *testing.T) {
	on := func(text string) time.Time {
		parsed, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	cases := []struct {
		reason                  string
		start, end, anchor      string
		interval                string
		count                   int
		now                     string
		current, next, previous string // the current period's start and end, the previous one's start
	}{
		{"a month", "2024-05-10", "2024-06-10", "2024-05-10", "month", 1, "2024-05-15", "2024-05-10", "2024-06-10", "2024-04-10"},
		{"over the year's turn", "2024-01-10", "2024-02-10", "2023-05-10", "month", 1, "2024-01-15", "2024-01-10", "2024-02-10", "2023-12-10"},
		{"behind a short month, the anchor's day comes back", "2024-02-29", "2024-03-31", "2024-01-31", "month", 1, "2024-03-01", "2024-02-29", "2024-03-31", "2024-01-31"},
		{"into a short month", "2024-03-31", "2024-04-30", "2024-01-31", "month", 1, "2024-04-01", "2024-03-31", "2024-04-30", "2024-02-29"},
		{"a quarter", "2024-03-31", "2024-06-30", "2023-12-31", "month", 3, "2024-04-01", "2024-03-31", "2024-06-30", "2023-12-31"},
		{"two weeks", "2024-05-10", "2024-05-24", "2024-05-10", "week", 2, "2024-05-15", "2024-05-10", "2024-05-24", "2024-04-26"},
		{"ten days", "2024-03-05", "2024-03-15", "2024-03-05", "day", 10, "2024-03-05", "2024-03-05", "2024-03-15", "2024-02-24"},
		{"a leap day's year", "2024-02-29", "2025-02-28", "2024-02-29", "year", 1, "2024-05-15", "2024-02-29", "2025-02-28", "2023-02-28"},
		{"what is cached may be two periods behind", "2024-05-10", "2024-06-10", "2024-05-10", "month", 1, "2024-07-10", "2024-07-10", "2024-08-10", "2024-06-10"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			held := &cycle{start: on(c.start), end: on(c.end), anchor: on(c.anchor), interval: c.interval, count: c.count}
			current := periodOf(held, model.UsagePeriodCurrent, on(c.now))
			if !current.start.Equal(on(c.current)) || !current.end.Equal(on(c.next)) {
				t.Errorf("current is %v, want %s to %s", current, c.current, c.next)
			}
			previous := periodOf(held, model.UsagePeriodPrevious, on(c.now))
			if !previous.start.Equal(on(c.previous)) || !previous.end.Equal(current.start) {
				t.Errorf("previous is %v, want %s to the current one's start", previous, c.previous)
			}
		})
	}
}
