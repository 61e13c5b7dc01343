package main

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateFiles is a certificate and its key, which somebody renews while we serve.
type certificateFiles struct {
	cert, key string

	mu       sync.Mutex
	loaded   *tls.Certificate
	modified [2]time.Time
}

// read reads the files, if they are not those that were read.
func (f *certificateFiles) read() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var modified [2]time.Time
	for i, name := range []string{f.cert, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		modified[i] = info.ModTime()
	}
	if f.loaded != nil && modified == f.modified {
		return nil
	}
	loaded, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return err
	}
	f.loaded, f.modified = &loaded, modified
	return nil
}

// get serves tls.Config: the newest certificate that could be read.
func (f *certificateFiles) get(log *slog.Logger) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if err := f.read(); err != nil {
			log.Warn("the TLS certificate cannot be read again: the one before is served", "error", err.Error())
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.loaded, nil
	}
}
