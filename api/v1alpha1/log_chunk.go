package v1alpha1

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LogPacker packs a log for keeping, line by line: a chunk that is full is sealed and
// never changes again; the open one grows. The zero value is a log without lines.
//
// +kubebuilder:object:generate=false
type LogPacker struct {
	last      int64
	names     []string // of the chunks that are kept, the open one's last
	open      bytes.Buffer
	container string // of the newest line
}

// LogChunk is one piece of a kept log: the content of one ConfigMap.
//
// +kubebuilder:object:generate=false
type LogChunk struct {
	// Name of the ConfigMap.
	Name string
	// Container printed the last line, see AnnotationLogContainer.
	Container string
	// Data belongs under LogKey: gzip of lines "number time text".
	Data []byte
}

// ResumeLog goes on with a log of which status tells, and whose newest chunk holds these
// lines: perhaps more than status tells, as that is written after the chunk.
func ResumeLog(log BuildLog, newest []LogLine, container string) *LogPacker {
	p := &LogPacker{last: log.Lines, names: slices.Clone(log.ConfigMaps), container: container}
	for _, line := range newest {
		p.write(line)
		p.last = max(p.last, line.Number)
	}
	return p
}

// Last is the number of the newest line; 0 before the first.
func (p *LogPacker) Last() int64 { return p.last }

// Add takes the next line that a container of a build printed, and numbers it. It gives
// the chunk that the line did not fit into any more, which is sealed; nil for most lines.
func (p *LogPacker) Add(build, container string, line LogLine) (sealed *LogChunk) {
	line.Number = p.last + 1
	if p.open.Len() > 0 && p.open.Len()+len(line.Text)+maxLinePrefix > MaxChunkBytes {
		sealed = p.Open()
		p.open.Reset()
	}
	if p.open.Len() == 0 {
		p.names = append(p.names, LogConfigMap(build, line.Number))
	}
	p.last, p.container = line.Number, container
	p.write(line)
	return sealed
}

// maxLinePrefix bounds a line's number, time and blanks, and its end.
const maxLinePrefix = 64

func (p *LogPacker) write(line LogLine) {
	p.open.Write(strconv.AppendInt(p.open.AvailableBuffer(), line.Number, 10))
	p.open.WriteByte(' ')
	p.open.Write(line.Time.UTC().AppendFormat(p.open.AvailableBuffer(), time.RFC3339Nano))
	p.open.WriteByte(' ')
	p.open.WriteString(line.Text)
	p.open.WriteByte('\n')
}

// Open is the chunk that is not full yet, as far as it goes; nil before the first line.
func (p *LogPacker) Open() *LogChunk {
	if p.open.Len() == 0 {
		return nil
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = writer.Write(p.open.Bytes()) // into memory: never fails
	_ = writer.Close()
	return &LogChunk{Name: p.names[len(p.names)-1], Container: p.container, Data: packed.Bytes()}
}

// Bound drops the oldest chunks that are beyond the bounds, and names them.
func (p *LogPacker) Bound() (dropped []string) {
	for len(p.names) > 1 && (len(p.names) > MaxLogChunks || p.last-LogConfigMapFirstLine(p.names[1]) >= MaxLogLines) {
		dropped = append(dropped, p.names[0])
		p.names = p.names[1:]
	}
	return dropped
}

// Status is what a build's status says once all chunks are written.
func (p *LogPacker) Status() BuildLog {
	log := BuildLog{Lines: p.last, ConfigMaps: slices.Clone(p.names)}
	if len(p.names) > 0 {
		log.FirstLine = LogConfigMapFirstLine(p.names[0])
	}
	return log
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
