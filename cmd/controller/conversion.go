package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"drydock.dev/drydock/conversion"
)

// untilUnrouted is how long the webhook goes on after the process was told to end: until
// then the API server may still be led here.
const untilUnrouted = 5 * time.Second

// conversions is the conversion webhook of this replica, whether it leads or not.
type conversions struct {
	listener net.Listener
	keeper   *conversion.Keeper
	metrics  prometheus.Registerer
	log      *slog.Logger
}

// newConversions listens for the API server; nil where it is not to.
func newConversions(ctx context.Context, c *config, log *slog.Logger, metrics prometheus.Registerer) (*conversions, error) {
	if c.conversionListen == "" {
		return nil, nil
	}
	keeper, err := conversion.NewKeeper(conversion.KeeperOptions{Config: c.kube, Namespace: c.replicas.Namespace, Log: log})
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.conversionListen)
	if err != nil {
		return nil, fmt.Errorf("--conversion-listen (DRYDOCK_CONVERSION_LISTEN): %w", err)
	}
	return &conversions{tls.NewListener(listener, keeper.TLS()), keeper, metrics, log}, nil
}

// run serves until a while after the context ends.
func (c *conversions) run(ctx context.Context) error {
	if c == nil {
		return nil
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(untilUnrouted, cancel) })()
	group, serving := errgroup.WithContext(serving)
	group.Go(func() error { c.keeper.Run(serving); return nil })
	group.Go(func() error { return serve(serving, c.listener, conversion.Handler(c.metrics), c.log) })
	return group.Wait()
}

// check adds whether the API server can be answered.
func (c *conversions) check(report *readiness) {
	if c != nil {
		report.check("conversion", c.keeper.Ready())
	}
}
