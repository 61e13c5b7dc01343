package v1alpha1_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

var printed = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func TestLogReader(t *testing.T) {
	const stamp = "2026-03-01T12:00:00.123456789Z "
	long := strings.Repeat("x", v1alpha1.MaxLineBytes)
	broken := errors.New("connection reset")
	for _, test := range []struct {
		reason string
		source io.Reader
		want   []string
		end    error
	}{
		{"an empty log has no lines", strings.NewReader(""), nil, io.EOF},
		{"text keeps its blanks and loses its line ends", strings.NewReader(stamp + " a  b \r\n" + stamp + "\n"), []string{" a  b ", ""}, io.EOF},
		{"a line without an end may be a part of one", strings.NewReader(stamp + "whole\n" + stamp + "par"), []string{"whole", "par"}, v1alpha1.ErrUnfinishedLine},
		{"what a broken stream broke off in is not handed out", io.MultiReader(strings.NewReader(stamp+"whole\n"+stamp+"par"), iotest.ErrReader(broken)), []string{"whole"}, broken},
		{"the longest line is whole", strings.NewReader(stamp + long + "\n"), []string{long}, io.EOF},
		{"a longer one is cut and says so", strings.NewReader(stamp + long + strings.Repeat("y", 5000) + "\n" + stamp + "next\n"),
			[]string{long + " [cut: the line has 5000 bytes more]", "next"}, io.EOF},
		{"bytes that are no UTF-8 become the replacement character", strings.NewReader(stamp + "a\xff\xfeb\n"), []string{"a\uFFFDb"}, io.EOF},
		{"a line without a time has the time of the one before", strings.NewReader(stamp + "a\nunable to read\n"), []string{"a", "unable to read"}, io.EOF},
	} {
		t.Run(test.reason, func(t *testing.T) {
			reader := v1alpha1.NewLogReader(test.source, 7)
			var want, got []v1alpha1.LogLine
			for i, text := range test.want {
				want = append(want, v1alpha1.LogLine{Number: int64(8 + i), Time: printed, Text: text})
			}
			line, err := reader.Next()
			for ; err == nil; line, err = reader.Next() {
				got = append(got, line)
			}
			if errors.Is(err, v1alpha1.ErrUnfinishedLine) {
				got = append(got, line)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%.2000s", diff)
			}
			if !errors.Is(err, test.end) {
				t.Errorf("end: got %v, want %v", err, test.end)
			}
		})
	}
}

func TestLogTail(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := func(n int) string {
		text := make([]byte, n)
		for i := range text {
			text[i] = byte(' ' + random.IntN(95))
		}
		return string(text)
	}
	for _, test := range []struct {
		reason    string
		lines     int
		text      func(i int) string
		firstLine int64
		chunks    int
	}{
		{"no lines, no chunks", 0, nil, 0, 0},
		{"a short log is one chunk", 3, func(i int) string { return fmt.Sprint("line ", i) }, 1, 1},
		{"the newest lines are kept", v1alpha1.MaxLogLines + 5, func(int) string { return "x" }, 6, 1},
		{"the newest bytes are kept", 12, func(int) string { return strings.Repeat("x", v1alpha1.MaxLineBytes) }, 3, 10},
		{"what does not compress fills many chunks", 4000, func(int) string { return noise(1000) }, 1, 7},
		{"very long lines have chunks of their own", 3, func(int) string { return noise(v1alpha1.MaxLineBytes) }, 1, 3},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var tail v1alpha1.LogTail
			var want []v1alpha1.LogLine
			for i := range test.lines {
				line := v1alpha1.LogLine{Number: int64(i + 1), Time: printed, Text: test.text(i)}
				tail.Add(line)
				if line.Number >= test.firstLine {
					want = append(want, line)
				}
			}
			chunks, log := tail.Pack("app-xabc")
			var got []v1alpha1.LogLine
			var names []string
			for _, chunk := range chunks {
				if first := v1alpha1.LogConfigMapFirstLine(chunk.Name); first != int64(len(got))+test.firstLine {
					t.Errorf("%s begins with line %d", chunk.Name, int64(len(got))+test.firstLine)
				}
				if len(chunk.Data) > corev1.MaxSecretSize {
					t.Errorf("%s does not fit into a ConfigMap: %d bytes", chunk.Name, len(chunk.Data))
				}
				names = append(names, chunk.Name)
				for line, err := range v1alpha1.UnpackLog(chunk.Data) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, line)
				}
			}
			if !slices.Equal(want, got) { // too long for a diff
				t.Errorf("%d lines were unpacked, %d packed, and they differ", len(got), len(want))
			}
			wantLog := v1alpha1.BuildLog{Lines: int64(test.lines), FirstLine: test.firstLine, ConfigMaps: names}
			if diff := cmp.Diff(wantLog, log); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			if len(chunks) != test.chunks {
				t.Errorf("%d chunks, want %d", len(chunks), test.chunks)
			}
		})
	}
}

func TestUnpackLogRefusesWhatIsNoLog(t *testing.T) {
	for line, err := range v1alpha1.UnpackLog([]byte("plain text")) {
		if err == nil {
			t.Errorf("got the line %v", line)
		}
	}
}
