// Drydock-controller runs the controller: it turns Builds into pushed images and
// metered seconds. See package controller.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"drydock.dev/drydock/controller"
	registries "drydock.dev/drydock/registry"
	"drydock.dev/drydock/webhook"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run is the process: 0 after a clean end, 1 when it failed, 2 for settings that are
// wrong or missing. The word migrate-storage first is another program.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	if len(args) > 0 && args[0] == "migrate-storage" {
		return migrateStorage(ctx, args[1:], getenv, stdout, stderr)
	}
	c, err := readConfig(args, getenv, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "drydock-controller:", err)
		return 2
	}
	log := c.logger(stderr)
	ctrl.SetLogger(logr.FromSlogHandler(log.Handler()))
	klog.SetSlogLogger(log)
	if err := work(ctx, c, log); err != nil {
		log.Error("the controller ended", "error", err)
		return 1
	}
	log.Info("the controller ended")
	return 0
}

// work runs the controller and its metrics until the context ends.
func work(ctx context.Context, c *config, log *slog.Logger) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.metricsListen)
	if err != nil {
		return fmt.Errorf("--metrics-listen (DRYDOCK_METRICS_LISTEN): %w", err)
	}
	registry := prometheus.NewRegistry()
	stripe, notices, err := newClients(c, log, registry)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stripe.Close()
	defer notices.Close() // before billing, which it tells
	commits, err := c.github.client(registry)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	builds, err := controller.New(controller.Options{
		Config:              c.kube,
		Billing:             stripe,
		Strategy:            c.strategy,
		Namespace:           c.replicas.Namespace,
		LeaderElection:      c.leaderElect,
		LeaseDuration:       c.leaseDuration,
		Workers:             c.workers,
		KeepBuilds:          c.retention.Builds,
		KeepBuildsFor:       c.retention.For,
		Network:             controller.Network{Cluster: c.network.Cluster, Allowed: c.network.Allowed},
		MaxBuilds:           c.maxBuilds,
		WebhookRules:        webhook.Rules{Private: c.webhooks.Private, Hosts: c.webhooks.Hosts},
		SigningKeys:         c.signing.Keys,
		GitHub:              commits,
		GitHubOwners:        c.github.owners,
		PublicURL:           c.publicURL,
		MinScheduleInterval: c.triggers.MinInterval,
		BaseImageInterval:   c.baseImageInterval,
		Registries:          registries.Rules{Insecure: c.registries.Insecure, Private: c.registries.Private},
		Log:                 log,
		Registerer:          registry,
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	converts, err := newConversions(ctx, c, log, registry)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(ctx, listener, routes(builds, stripe, notices, converts, registry), log) })
	group.Go(func() error { return converts.run(ctx) })
	group.Go(func() error { return builds.Run(ctx) })
	group.Go(func() error {
		// Builds run without billing too; their seconds are told later. One that stands by asks
		// Stripe nothing: its share of the rate limits is the leader's.
		select {
		case <-builds.Elected():
		case <-ctx.Done():
			return nil
		}
		if err := stripe.Start(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("billing: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		// Without the others' notices what is known is older, until the next catch-up.
		if err := notices.Start(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("notices: %w", err)
		}
		return nil
	})
	group.Go(func() error { return share(ctx, c, stripe, log, registry) })
	log.Info("the controller starts", "metrics", listener.Addr().String(), "strategy", c.strategy, "namespace", c.replicas.Namespace, "signingKeys", &c.signing)
	return group.Wait()
}
