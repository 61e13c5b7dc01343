package v1alpha1

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
)

// LogTail gathers the newest lines of a log, within MaxLogLines and MaxLogBytes,
// and packs them for keeping. The zero value is ready for use.
//
// +kubebuilder:object:generate=false
type LogTail struct {
	lines []LogLine
	bytes int
	last  int64
}

// LogChunk is one piece of a kept log: the content of one ConfigMap.
//
// +kubebuilder:object:generate=false
type LogChunk struct {
	// Name of the ConfigMap.
	Name string
	// Data belongs under LogKey: gzip of lines "number time text".
	Data []byte
}

// Last is the number of the newest line; 0 before the first.
func (t *LogTail) Last() int64 { return t.last }

// Add takes the next line, and drops the oldest ones that are beyond the bounds.
func (t *LogTail) Add(line LogLine) {
	t.lines = append(t.lines, line)
	t.bytes += len(line.Text)
	t.last = line.Number
	for len(t.lines) > MaxLogLines || t.bytes > MaxLogBytes {
		t.bytes -= len(t.lines[0].Text)
		t.lines[0] = LogLine{}
		t.lines = t.lines[1:]
	}
}

// Pack gives the chunks of a build's log, each at home in a ConfigMap of its own,
// and what the build's status says of them.
func (t *LogTail) Pack(build string) ([]LogChunk, BuildLog) {
	log := BuildLog{Lines: t.last}
	var chunks []LogChunk
	for rest := t.lines; len(rest) > 0; {
		chunk := LogChunk{Name: LogConfigMap(build, rest[0].Number)}
		chunk.Data, rest = packChunk(rest)
		chunks = append(chunks, chunk)
		log.ConfigMaps = append(log.ConfigMaps, chunk.Name)
	}
	if len(t.lines) > 0 {
		log.FirstLine = t.lines[0].Number
	}
	return chunks, log
}

// packChunk compresses as many lines as fit into one chunk, and hands back the others.
func packChunk(lines []LogLine) ([]byte, []LogLine) {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	pending := 0 // uncompressed bytes that may still be in the compressor
	for i, line := range lines {
		// Compression can add a little where it cannot save: 1 in 1000 is generous.
		if size := len(line.Text) + 64; i > 0 && packed.Len()+(pending+size)*1001/1000 > MaxChunkBytes {
			_ = writer.Flush() // into memory: never fails
			pending = 0
			if packed.Len()+size*1001/1000 > MaxChunkBytes {
				_ = writer.Close()
				return packed.Bytes(), lines[i:]
			}
		}
		written, _ := fmt.Fprintf(writer, "%d %s %s\n", line.Number, line.Time.UTC().Format(time.RFC3339Nano), line.Text)
		pending += written
	}
	_ = writer.Close()
	return packed.Bytes(), nil
}

// UnpackLog gives the lines of one chunk, in order. A chunk that LogTail did not
// make ends with an error.
func UnpackLog(data []byte) iter.Seq2[LogLine, error] {
	return func(yield func(LogLine, error) bool) {
		unzip, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			yield(LogLine{}, fmt.Errorf("kept log: %w", err))
			return
		}
		for source := bufio.NewReader(unzip); ; {
			text, err := source.ReadString('\n')
			if errors.Is(err, io.EOF) && text == "" {
				return
			}
			line, ok := parseKept(text)
			if err == nil && !ok {
				err = fmt.Errorf("kept log: not a line: %.80q", text)
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

func parseKept(text string) (LogLine, bool) {
	number, rest, _ := strings.Cut(strings.TrimSuffix(text, "\n"), " ")
	stamp, text, ok := strings.Cut(rest, " ")
	line := LogLine{Text: text}
	var err, timeErr error
	line.Number, err = strconv.ParseInt(number, 10, 64)
	line.Time, timeErr = time.Parse(time.RFC3339Nano, stamp)
	return line, ok && err == nil && timeErr == nil
}
