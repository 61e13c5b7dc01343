package podlog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/api/v1alpha1"
)

// at is a line that was printed so many milliseconds after the marked one.
func at(milliseconds int, text string) v1alpha1.LogLine {
	return v1alpha1.LogLine{Time: time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC).Add(time.Duration(milliseconds) * time.Millisecond), Text: text}
}

func TestSeek(t *testing.T) {
	for _, test := range []struct {
		reason  string
		before  []v1alpha1.LogLine // that were read, the last of which is marked
		lines   []v1alpha1.LogLine // that the node has
		want    []string
		missing bool
		held    int // lines whose place only the end tells
	}{
		{reason: "what is behind the mark is new", before: []v1alpha1.LogLine{at(0, "m")},
			lines: []v1alpha1.LogLine{at(-5, "a"), at(0, "m"), at(3, "b"), at(3, "c")}, want: []string{"b", "c"}},
		{reason: "the mark is the last line there is", before: []v1alpha1.LogLine{at(0, "m")}, lines: []v1alpha1.LogLine{at(-5, "a"), at(0, "m")}},
		{reason: "the same line at the same time again is another line", before: []v1alpha1.LogLine{at(-1, "m"), at(0, "m"), at(0, "m")},
			lines: []v1alpha1.LogLine{at(-1, "m"), at(0, "m"), at(0, "m"), at(0, "m")}, want: []string{"m"}},
		{reason: "another line of the same time is not the mark", before: []v1alpha1.LogLine{at(0, "m")},
			lines: []v1alpha1.LogLine{at(0, "x"), at(0, "m"), at(0, "y")}, want: []string{"y"}},
		{reason: "times of two outputs may be out of order: the place in the log counts", before: []v1alpha1.LogLine{at(0, "m")},
			lines: []v1alpha1.LogLine{at(2, "older"), at(0, "m"), at(-1, "newer")}, want: []string{"newer"}},
		{reason: "a log that begins later has lost lines", before: []v1alpha1.LogLine{at(0, "m")},
			lines: []v1alpha1.LogLine{at(5000, "a"), at(5001, "b")}, want: []string{"a", "b"}, missing: true},
		{reason: "a log that begins just later may be out of order, until the lines go on", before: []v1alpha1.LogLine{at(0, "m")},
			lines: []v1alpha1.LogLine{at(50, "a"), at(1500, "b"), at(1501, "c")}, want: []string{"a", "b", "c"}, missing: true},
		{reason: "or until the log ends", before: []v1alpha1.LogLine{at(0, "m")},
			lines: []v1alpha1.LogLine{at(50, "a"), at(60, "b")}, want: []string{"a", "b"}, missing: true, held: 2},
		{reason: "a new file without a line says nothing", before: []v1alpha1.LogLine{at(0, "m")}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			place := seek{mark: MarkOf("build", test.before)}
			var got []string
			missing := false
			take := func(lines []v1alpha1.LogLine, lost bool) {
				for _, line := range lines {
					got = append(got, line.Text)
				}
				missing = missing || lost
			}
			for _, line := range test.lines {
				take(place.next(line))
			}
			if held := len(place.behind); held != test.held {
				t.Errorf("%d lines are held back before the end, want %d", held, test.held)
			}
			take(place.end())
			if diff := cmp.Diff(test.want, got); diff != "" || missing != test.missing {
				t.Errorf("missing: %v (-want +got):\n%s", missing, diff)
			}
		})
	}
}

func TestMarkOf(t *testing.T) {
	want := Mark{Container: "build", Time: at(0, "").Time, Text: "m", Same: 2}
	if diff := cmp.Diff(want, MarkOf("build", []v1alpha1.LogLine{at(0, "m"), at(-1, "m"), at(0, "m"), at(0, "m")})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if MarkOf("build", nil) != (Mark{}) {
		t.Error("no lines are the start")
	}
}
