package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// keptBuild is an ended build with 20,000 lines, of which every thousandth is colored.
func keptBuild(t *testing.T, w *world) model.Key {
	t.Helper()
	c := w.connect(t, nil)
	b := start(t, c, create(t, c, newLogin(), "app").Key)
	var lines []v1alpha1.LogLine
	for i := range 20_000 {
		text := fmt.Sprint("line ", i+1)
		if (i+1)%1000 == 0 {
			text = fmt.Sprintf("\x1b[31mErr\x1b[1mOR\x1b[0m of line %d", i+1)
		}
		lines = append(lines, v1alpha1.LogLine{Time: time.Unix(int64(i), 0), Text: text})
	}
	w.keepLines(t, b.Key, v1alpha1.PhaseFailed, lines)
	eventually(t, "the end is seen", func() bool {
		b, err := c.Build(t.Context(), b.Key)
		return err == nil && b.Phase.Done()
	})
	return b.Key
}

func TestSearchBuildLog(t *testing.T) {
	w := newWorld(t)
	key := keptBuild(t, w)
	c := w.connect(t, nil)
	for _, test := range []struct {
		reason       string
		text         string
		after, first int
		want         []int
		end          int
		complete     bool
	}{
		{"escapes within a word and its case do not count", "eRRoR of line 70", 0, 100, []int{7000}, 20_000, true},
		{"a page ends at its last match", "error", 2500, 3, []int{3000, 4000, 5000}, 5000, false},
		{"the next one goes on behind it", "error", 18_000, 3, []int{19_000, 20_000}, 20_000, true},
		{"nothing is found", "no such thing", 0, 10, nil, 20_000, true},
		{"escapes are no text", "[31m", 0, 10, nil, 20_000, true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			found, err := c.SearchBuildLog(t.Context(), key, test.text, test.after, test.first)
			must(t, err)
			var got []int
			for _, line := range found.Lines {
				got = append(got, line.Number)
			}
			if !slices.Equal(got, test.want) || found.EndCursor != test.end || found.Complete != test.complete {
				t.Errorf("lines %v up to %d, complete: %v", got, found.EndCursor, found.Complete)
			}
		})
	}
	for _, test := range []struct {
		reason, text string
		after, first int
	}{
		{"no text", "", 0, 10},
		{"too long a text", strings.Repeat("x", 201), 0, 10},
		{"no page", "x", 0, 0},
		{"too large a page", "x", 0, 1001},
		{"no line's number", "x", -1, 10},
	} {
		t.Run(test.reason, func(t *testing.T) {
			_, err := c.SearchBuildLog(t.Context(), key, test.text, test.after, test.first)
			wantFault(t, err, fault.BadUserInput)
		})
	}
}

// Pieces hold all lines, in order, many of them in one.
func TestFollowBuildLogPieces(t *testing.T) {
	w := newWorld(t)
	key := keptBuild(t, w)
	c := w.connect(t, nil)
	pieces, err := c.FollowBuildLogPieces(t.Context(), key, 5)
	must(t, err)
	last, count := 5, 0
	for piece := range pieces {
		count++
		for _, line := range piece.Lines {
			if last++; line.Number != last {
				t.Fatalf("line %d after %d", line.Number, last-1)
			}
		}
		if piece.EndCursor != last || piece.FirstLine != 1 {
			t.Errorf("a piece up to %d says it ends at %d, and that %d is the oldest", last, piece.EndCursor, piece.FirstLine)
		}
	}
	t.Logf("%d lines in %d pieces", last-5, count)
	if last != 20_000 {
		t.Errorf("the last line was %d", last)
	}
	_, err = c.FollowBuildLogPieces(t.Context(), key, -1)
	wantFault(t, err, fault.BadUserInput)
}
