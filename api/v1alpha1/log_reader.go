package v1alpha1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// ErrUnfinishedLine comes with the last line of a stream that ended within a line:
// the whole line where the container has ended, else a part of it.
var ErrUnfinishedLine = errors.New("the log ended within a line")

// LogReader reads lines from the log of one container, as the API server gives it
// with timestamps=true: an RFC 3339 time, a blank, the text.
//
// +kubebuilder:object:generate=false
type LogReader struct {
	source *bufio.Reader
	number int64
	time   time.Time
	line   bytes.Buffer
}

// NewLogReader reads a container's log; its first line gets the number after last.
func NewLogReader(source io.Reader, last int64) *LogReader {
	return &LogReader{source: bufio.NewReaderSize(source, 32<<10), number: last}
}

// Buffered is how many bytes the next line has at hand.
func (r *LogReader) Buffered() int { return r.source.Buffered() }

// Next is the next line. The end is io.EOF, or ErrUnfinishedLine with a line; any
// other error is the stream's own, and what it broke off in is not handed out.
func (r *LogReader) Next() (LogLine, error) {
	r.line.Reset()
	for length := 0; ; {
		part, err := r.source.ReadSlice('\n')
		length += len(part)
		// A timestamp has at most 36 bytes, and the line's end 2.
		r.line.Write(part[:min(len(part), max(0, MaxLineBytes+64-r.line.Len()))])
		switch {
		case err == nil:
			return r.parse(length), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && length > 0:
			return r.parse(length), ErrUnfinishedLine
		default:
			return LogLine{}, err
		}
	}
}

// parse makes a line of the text in the buffer, of which length bytes came in all.
func (r *LogReader) parse(length int) LogLine {
	lost := length - r.line.Len()
	if lost > 0 {
		lost-- // the line's end
	}
	text := strings.TrimSuffix(strings.TrimSuffix(r.line.String(), "\n"), "\r")
	if stamp, rest, _ := strings.Cut(text, " "); stamp != "" {
		if printed, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
			r.time, text = printed.UTC(), rest
		}
	}
	if cut := len(text) - MaxLineBytes; cut > 0 {
		text = fmt.Sprintf("%s [cut: the line has %d bytes more]", text[:MaxLineBytes], cut+lost)
	}
	r.number++
	return LogLine{Number: r.number, Time: r.time, Text: strings.ToValidUTF8(text, "\uFFFD")}
}
