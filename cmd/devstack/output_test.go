package main

import (
	"strings"
	"testing"
)

func TestOutput(t *testing.T) {
	for _, c := range []struct {
		reason string
		writes []string
		want   string
	}{
		{"a line stands under its part's name", []string{"one\n"}, "part       | one\n"},
		{"a line that comes in pieces is one line", []string{"o", "ne\ntw", "o\n"}, "part       | one\npart       | two\n"},
		{"what is not ended yet waits", []string{"one\ntwo"}, "part       | one\n"},
		{"a line without an end is broken, not kept for ever", []string{strings.Repeat("x", maxLine+1)}, "part       | " + strings.Repeat("x", maxLine+1) + "\n"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			var got strings.Builder
			writer := newOutput(&got, false).part("part")
			for _, text := range c.writes {
				if _, err := writer.Write([]byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			if got.String() != c.want {
				t.Errorf("got %.200q, want %.200q", got.String(), c.want)
			}
		})
	}
}
