package billing

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSumsOf tells which sums of the meter are read of a period.
func TestSumsOf(t *testing.T) {
	on := func(text string) time.Time {
		t.Helper()
		parsed, err := time.Parse("2006-01-02 15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	span := func(start, end string) period { return period{on(start), on(end)} }
	cases := []struct {
		reason string
		span   period
		now    string
		want   sums
	}{
		{
			"a month under way: its days up to today", span("2024-05-01 00:00:00", "2024-06-01 00:00:00"), "2024-05-03 12:00:00",
			sums{days: span("2024-05-01 00:00:00", "2024-05-04 00:00:00")},
		},
		{
			"its first moment", span("2024-05-01 00:00:00", "2024-06-01 00:00:00"), "2024-05-01 00:00:00",
			sums{days: span("2024-05-01 00:00:00", "2024-05-02 00:00:00")},
		},
		{
			"its last moment, when events may be of the next one", span("2024-05-01 00:00:00", "2024-06-01 00:00:00"), "2024-05-31 23:59:59",
			sums{days: span("2024-05-01 00:00:00", "2024-06-01 00:00:00")},
		},
		{
			"a month that is over", span("2024-05-01 00:00:00", "2024-06-01 00:00:00"), "2024-06-01 00:00:00",
			sums{days: span("2024-05-01 00:00:00", "2024-06-01 00:00:00")},
		},
		{
			"a first day that is cut gets what the others leave", span("2024-05-10 09:30:45", "2024-06-10 09:30:45"), "2024-05-15 12:00:20",
			sums{
				days: span("2024-05-10 00:00:00", "2024-05-16 00:00:00"), whole: span("2024-05-10 09:30:00", "2024-05-15 12:10:00"),
				cut: on("2024-05-10 00:00:00"),
			},
		},
		{
			"on its last day, which is not over, too", span("2024-05-10 09:30:00", "2024-06-10 09:30:00"), "2024-06-10 09:29:00",
			sums{
				days: span("2024-05-10 00:00:00", "2024-06-11 00:00:00"), whole: span("2024-05-10 09:30:00", "2024-06-10 09:30:00"),
				cut: on("2024-05-10 00:00:00"),
			},
		},
		{
			"two days that are cut: the first is read by itself", span("2024-05-10 09:30:00", "2024-06-10 09:30:00"), "2024-06-20 00:00:00",
			sums{
				days: span("2024-05-10 00:00:00", "2024-06-11 00:00:00"), whole: span("2024-05-10 09:30:00", "2024-06-10 09:30:00"),
				begun: span("2024-05-10 09:30:00", "2024-05-11 00:00:00"), cut: on("2024-06-10 00:00:00"),
			},
		},
		{
			"a period within a day", span("2024-05-10 09:00:00", "2024-05-10 10:00:00"), "2024-05-11 00:00:00",
			sums{
				days: span("2024-05-10 00:00:00", "2024-05-11 00:00:00"), whole: span("2024-05-10 09:00:00", "2024-05-10 10:00:00"),
				cut: on("2024-05-10 00:00:00"),
			},
		},
		{
			"a last day that is cut alone", span("2024-05-10 00:00:00", "2024-05-12 10:00:00"), "2024-05-13 00:00:00",
			sums{
				days: span("2024-05-10 00:00:00", "2024-05-13 00:00:00"), whole: span("2024-05-10 00:00:00", "2024-05-12 10:00:00"),
				cut: on("2024-05-12 00:00:00"),
			},
		},
	}
	for _, c := range cases {
		got := sumsOf(c.span, on(c.now))
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(sums{}, period{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.reason, diff)
		}
	}
}

// TestFreshUntil tells when sums are to be read again.
func TestFreshUntil(t *testing.T) {
	month := period{time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 6, 1, 9, 0, 0, 0, time.UTC)}
	cases := []struct {
		reason  string
		now     time.Time
		settled bool
		want    time.Time
	}{
		{"at the next day", month.start.Add(12 * time.Hour), true, month.start.Add(day)},
		{"at the period's end", month.end.Add(-time.Minute), true, month.end},
		{"sums that Stripe may be adding to", month.start.Add(12 * time.Hour), false, month.start.Add(12*time.Hour + unsettledTTL)},
		{"the same, with the day's end in between", month.start.Add(day - time.Second), false, month.start.Add(day)},
		{"a period that is over", month.end, true, month.end.Add(usageTTL)},
		{"one that is just over", month.end, false, month.end.Add(unsettledTTL)},
	}
	for _, c := range cases {
		if got := freshUntil(month, c.now, c.settled); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", c.reason, got, c.want)
		}
	}
}
