package clustertest

import (
	"bytes"
	"sync"
)

// readyLine closes a channel when kubestack has printed its ready line.
type readyLine struct {
	ready chan struct{}
	once  sync.Once
	text  bytes.Buffer
}

// Write takes in what kubestack prints.
func (r *readyLine) Write(p []byte) (int, error) {
	if r.text.Len() < 1<<16 {
		r.text.Write(p)
	}
	if bytes.Contains(r.text.Bytes(), []byte("kubestack ready")) {
		r.once.Do(func() { close(r.ready) })
	}
	return len(p), nil
}
