package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
)

// output prints each line under its part's name. Lines of different parts do not mix.
type output struct {
	mu    sync.Mutex
	to    io.Writer
	color bool
}

// newOutput uses colours where a person looks on: a terminal, and no NO_COLOR
// (https://no-color.org).
func newOutput(to io.Writer, noColor bool) *output {
	o := &output{to: to}
	if file, ok := to.(*os.File); ok && !noColor {
		info, err := file.Stat()
		o.color = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return o
}

// part gives the writer of one part.
func (o *output) part(name string) io.Writer { return &lines{output: o, name: name} }

// colors are the foreground colours of ECMA-48 that read well on dark and light.
var colors = [...]int{36, 35, 34, 33, 32, 31}

func (o *output) line(name string, text []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	prefix := fmt.Sprintf("%-11s| ", name)
	if o.color {
		sum := 0
		for _, c := range name {
			sum += int(c)
		}
		prefix = fmt.Sprintf("\x1b[%dm%s\x1b[0m", colors[sum%len(colors)], prefix)
	}
	_, _ = fmt.Fprintf(o.to, "%s%s\n", prefix, text) // nobody to tell
}

// maxLine is where a line that does not end is broken, in bytes.
const maxLine = 64 << 10

// lines puts writes together to whole lines.
type lines struct {
	*output
	name string
	mu   sync.Mutex
	rest []byte
}

// Write prints the lines that are complete.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		text, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole && len(text) < maxLine {
			return len(p), nil
		}
		l.line(l.name, bytes.TrimRight(text, "\r"))
		l.rest = bytes.Clone(rest)
	}
}
