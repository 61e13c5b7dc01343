package main

import (
	"bytes"
	"io"
	"slices"
)

// watcher passes output on, and tells when it has seen a text.
type watcher struct {
	to   io.Writer
	text []byte
	seen func()
	// tail is the end of what went by: the text may come in two writes.
	tail []byte
}

// Write passes p on.
func (w *watcher) Write(p []byte) (int, error) {
	all := slices.Concat(w.tail, p)
	if bytes.Contains(all, w.text) {
		w.seen()
	}
	w.tail = bytes.Clone(all[max(0, len(all)-len(w.text)):])
	return w.to.Write(p)
}
