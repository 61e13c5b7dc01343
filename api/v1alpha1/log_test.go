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

func TestLogPacker(t *testing.T) {
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
		{"the issue's log of 100,000 lines and 10 MB is kept whole, with what is printed around it", v1alpha1.MaxLogLines + 1000,
			func(int) string { return strings.Repeat("x", 100) }, 1, 14},
		{"of a longer one the newest lines are kept", 3 * v1alpha1.MaxLogLines, func(int) string { return "x" }, 177_772, 5},
		{"of a larger one the newest 10 MB are kept, in chunks of their own where lines are long", 40,
			func(int) string { return strings.Repeat("x", v1alpha1.MaxLineBytes) }, 20, 21},
		{"what does not compress fits too", 3, func(int) string { return noise(v1alpha1.MaxLineBytes) }, 1, 3},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var packer v1alpha1.LogPacker
			written := map[string][]byte{}
			keep := func(chunk *v1alpha1.LogChunk) {
				if chunk == nil {
					return
				}
				if len(chunk.Data) > corev1.MaxSecretSize {
					t.Errorf("%s does not fit into a ConfigMap: %d bytes", chunk.Name, len(chunk.Data))
				}
				if chunk.Container != "build" {
					t.Errorf("%s is of the container %q", chunk.Name, chunk.Container)
				}
				written[chunk.Name] = chunk.Data
				for _, name := range packer.Bound() {
					delete(written, name)
				}
			}
			var all []v1alpha1.LogLine
			for i := range test.lines {
				line := v1alpha1.LogLine{Number: int64(i + 1), Time: printed, Text: test.text(i)}
				keep(packer.Add("app-xabc", "build", v1alpha1.LogLine{Time: line.Time, Text: line.Text}))
				all = append(all, line)
			}
			keep(packer.Open())
			log := packer.Status()
			if log.Lines != int64(test.lines) || log.FirstLine != test.firstLine || len(log.ConfigMaps) != test.chunks || len(written) != test.chunks {
				t.Fatalf("%d lines from %d in %d chunks, %d of them written", log.Lines, log.FirstLine, len(log.ConfigMaps), len(written))
			}
			var got []v1alpha1.LogLine
			for _, name := range log.ConfigMaps {
				if first := v1alpha1.LogConfigMapFirstLine(name); first != int64(len(got))+test.firstLine {
					t.Errorf("%s begins with line %d", name, int64(len(got))+test.firstLine)
				}
				got = append(got, unpack(t, written[name])...)
			}
			if want := all[max(0, test.firstLine-1):]; !slices.Equal(want, got) { // too long for a diff
				t.Errorf("%d lines were unpacked, %d packed, and they differ", len(got), len(want))
			}
		})
	}
}

// What goes on with a kept log writes what the one before would have written.
func TestResumeLog(t *testing.T) {
	var one v1alpha1.LogPacker
	line := v1alpha1.LogLine{Time: printed, Text: strings.Repeat("x", 1000)}
	for range 1400 {
		one.Add("app-xabc", "build", line)
	}
	status := one.Status() // the chunk was written again, and who wrote it died before the status
	for range 100 {
		one.Add("app-xabc", "build", line)
	}
	two := v1alpha1.ResumeLog(status, unpack(t, one.Open().Data), "build")
	for i := range 1500 {
		want, got := one.Add("app-xabc", "build", line), two.Add("app-xabc", "build", line)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("chunk at line %d (-want +got):\n%.500s", i, diff)
		}
	}
	if diff := cmp.Diff(one.Status(), two.Status()); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(one.Open(), two.Open()); diff != "" {
		t.Errorf("open chunk (-want +got):\n%.500s", diff)
	}
}

func unpack(t *testing.T, data []byte) (lines []v1alpha1.LogLine) {
	t.Helper()
	for line, err := range v1alpha1.UnpackLog(data) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestUnpackLogRefusesWhatIsNoLog(t *testing.T) {
	for line, err := range v1alpha1.UnpackLog([]byte("plain text")) {
		if err == nil {
			t.Errorf("got the line %v", line)
		}
	}
}
