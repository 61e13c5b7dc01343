// Drydock's gateway: one stateless GraphQL server over Stripe and Kubernetes.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"drydock.dev/drydock/gateway"
)

// version is what is built; the linker sets it.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run is the program: it serves until the context ends, drains, and gives the exit code:
// 0, 1 for a failure, 2 for a wrong setting. The word reconcile first is another program.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "reconcile" {
		return reconcile(ctx, args[1:], getenv, stdout, stderr)
	}
	c, err := readConfig(args, getenv, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "drydock:", err)
		return 2
	}
	log := newLog(c, stderr)
	log.Info("starting", "version", version, "settings", c)
	if err := serve(ctx, c, log, stdout); err != nil {
		log.Error("ended", "error", err.Error())
		return 1
	}
	log.Info("ended")
	return 0
}

func newLog(c *config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.level}
	if c.logFormat == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// serve makes the clients and the gateway, listens, and serves until the context ends.
func serve(ctx context.Context, c *config, log *slog.Logger, stdout io.Writer) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	clients, err := newClients(c, log, registry)
	if err != nil {
		return err
	}
	defer clients.close()

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.listen)
	if err != nil {
		return err
	}
	public, err := c.public(listener.Addr())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	face, err := newGateway(c, public, clients, log, registry)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler:           face,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		TLSConfig:         c.serverTLS(log),
		ConnContext:       boundBuffer,
	}
	if c.metricsListen != "" {
		metrics, err := serveMetrics(ctx, c.metricsListen, registry, log)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer func() { _ = metrics.Close() }() // a scrape that goes on may fail
	}
	log.Info("listening", "address", listener.Addr().String(), "publicURL", public.String())
	failed := make(chan error, 1)
	go func() { failed <- serveOn(listener, server) }()

	starting, stopStarting := context.WithCancel(ctx)
	var start sync.WaitGroup
	start.Go(func() {
		if startAll(starting, log, clients.money, clients.kube, clients.notices) {
			_, _ = fmt.Fprintf(stdout, "drydock: ready at %s (listening on %s)\n", public, listener.Addr())
		}
	})
	start.Go(func() { clients.share(starting, c, log, registry) })
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = drain(context.WithoutCancel(ctx), c.drainTimeout, log, face, server)
	}
	stopStarting()
	start.Wait()
	return cmp.Or(err, server.Close())
}

// sendBuffer is how much of what a client did not take yet the kernel holds, in bytes.
// Linux would let it grow to megabytes for each client, and a slow one would answer a ping
// only after all that is ahead of it.
const sendBuffer = 256 << 10

// boundBuffer bounds a new connection's send buffer.
func boundBuffer(ctx context.Context, conn net.Conn) context.Context {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // it would be larger: the connection works all the same
	}
	return ctx
}

// serveOn serves HTTPS where the server has a certificate, else HTTP.
func serveOn(listener net.Listener, server *http.Server) error {
	if server.TLSConfig != nil {
		return server.ServeTLS(listener, "", "")
	}
	return server.Serve(listener)
}

// starter is a client that has something to read before it is ready.
type starter interface {
	Start(context.Context) error
}

// startAll starts the clients at once; false means that not all of them are ready.
func startAll(ctx context.Context, log *slog.Logger, parts ...starter) bool {
	errs := make([]error, len(parts))
	var all sync.WaitGroup
	for i, part := range parts {
		all.Go(func() { errs[i] = part.Start(ctx) })
	}
	all.Wait()
	err := errors.Join(errs...)
	if err != nil && ctx.Err() == nil {
		log.Error("not ready", "error", err.Error())
	}
	return err == nil
}

// drain ends the gateway and its server: subscriptions are told to reconnect, requests
// finish, then connections close; what is left after the timeout is broken off.
func drain(ctx context.Context, timeout time.Duration, log *slog.Logger, face *gateway.Gateway, server *http.Server) error {
	log.Info("draining", "timeout", timeout.String())
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- face.Drain(ctx) }()
	if err := errors.Join(server.Shutdown(ctx), <-drained); err != nil {
		log.Warn("not all requests finished in time", "error", err.Error())
	}
	return nil
}
