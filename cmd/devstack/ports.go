package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// ports remembers addresses from one run to the next: images that were pushed and
// repositories that images name stay where they were.
type ports struct {
	file  string
	saved map[string]string
}

func openPorts(file string) (*ports, error) {
	p := &ports{file: file, saved: map[string]string{}}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, nil
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(text, &p.saved); err != nil {
		return nil, fmt.Errorf("%s: %w: remove it to begin anew", file, err)
	}
	return p, nil
}

// listen takes the part's preferred address where it is free, else the one of the
// last run, else any free port, and remembers it.
func (p *ports) listen(name, preferred string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(preferred)
	if err != nil {
		return nil, fmt.Errorf("%q is not an address such as 127.0.0.1:8080", preferred)
	}
	candidates := []string{preferred, net.JoinHostPort(host, "0")}
	if saved := p.saved[name]; saved != "" {
		candidates = []string{saved, preferred, net.JoinHostPort(host, "0")}
	}
	var listener net.Listener
	for _, address := range candidates {
		listener, err = net.Listen("tcp", address)
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	p.saved[name] = listener.Addr().String()
	text, err := json.MarshalIndent(p.saved, "", "  ")
	if err == nil {
		err = os.WriteFile(p.file, text, 0o644)
	}
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	return listener, nil
}

// address is listen for a process that will listen itself.
func (p *ports) address(name, preferred string) (string, error) {
	listener, err := p.listen(name, preferred)
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
