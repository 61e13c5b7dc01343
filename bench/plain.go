package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// plainCommand makes this binary the plain server: plain ADDRESS FILE.
const plainCommand = "plain"

// servePlain answers every request with the bytes of a file: what net/http alone can do on this machine.
func servePlain(ctx context.Context, address, file string) error {
	answer, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the client is gone
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer) // a client that is gone needs none
	})}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// startPlain runs the plain server as a process of its own, as the gateway is one. stop ends it.
func (r *run) startPlain(ctx context.Context, answer []byte) (url string, stop func(), err error) {
	file := filepath.Join(r.dir, "answer.json")
	if err := os.WriteFile(file, answer, 0o600); err != nil {
		return "", nil, err
	}
	address, err := stack.FreeAddress(ctx)
	if err != nil {
		return "", nil, err
	}
	binary, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	process, err := stack.Run("plain", binary, []string{plainCommand, address, file}, nil, io.Discard)
	if err != nil {
		return "", nil, err
	}
	url = "http://" + address
	err = stack.Until(ctx, func() error {
		if _, err := client.New(url).Send(ctx, http.MethodGet, "/", "", nil); err != nil {
			return fmt.Errorf("the plain server: %w: %s", err, process.Output())
		}
		return nil
	})
	return url, process.Kill, err
}
