package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"
)

// serve serves a part that lives in this process, and returns its host:port.
func (s *stack) serve(name, preferred string, handler http.Handler) (string, error) {
	listener, err := s.ports.listen(name, preferred)
	if err != nil {
		return "", err
	}
	if got := listener.Addr().String(); got != preferred {
		s.say("%s is at %s", name, got)
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(s.out.part(name), "", 0),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("%s: %w", name, err)
		}
	}()
	s.onStop(name, func(context.Context) error {
		err := server.Close()
		<-ended
		return err
	})
	return listener.Addr().String(), nil
}
