package stack

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// serve serves a handler on a free loopback port until the stack is closed, and returns its address.
func (s *Stack) serve(ctx context.Context, handler http.Handler) (address string, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // always an error: the server was closed
	}()
	s.onClose(func(context.Context) error {
		err := server.Close()
		<-ended
		return err
	})
	return listener.Addr().String(), nil
}

// newRegistry is an OCI registry that keeps everything in memory.
func newRegistry() http.Handler { return registry.New(registry.Logger(log.New(io.Discard, "", 0))) }

// Digest asks the registry for the digest of destination:tag; empty when it is not there.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#checking-if-content-exists-in-the-registry
func (s *Stack) Digest(ctx context.Context, repository, tag string) (string, error) {
	url := "http://" + s.Registry + "/v2/" + repository + "/manifests/" + tag
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	_ = response.Body.Close() // HEAD has none
	switch response.StatusCode {
	case http.StatusOK:
		return response.Header.Get("Docker-Content-Digest"), nil
	case http.StatusNotFound:
		return "", nil
	default:
		return "", errors.New("registry: HEAD " + url + ": " + response.Status)
	}
}
