package main

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/cluster"
)

// userAgent is what Kubernetes' audit log calls the controller where it is one among
// replicas, besides its work on builds.
const userAgent = "drydock-controller"

// newClients makes the way to Stripe, and the one to the gateways: what they announce is
// dropped here, and what this one does is announced to them.
func newClients(c *config, log *slog.Logger, registry *prometheus.Registry) (stripe *billing.Client, notices *cluster.Notices, err error) {
	notices, err = cluster.NewNotices(cluster.NoticesOptions{
		Kubeconfig: c.kubeconfig, UserAgent: userAgent, Namespace: c.replicas.Namespace,
		Heard:  func(notices []string) { stripe.Hear(notices) },
		Missed: func() { stripe.HearAll() },
		Log:    log, Registerer: registry,
	})
	if err != nil {
		return nil, nil, err
	}
	stripe, err = billing.New(billing.Options{
		Key: c.stripe.Key, APIBase: c.stripe.APIBase, Limits: billing.Limits(c.stripe.Rates),
		CatchUpEvery: c.stripe.CatchUpEvery, Grace: c.stripe.Grace, Announce: notices.Announce,
		Log: log, Registerer: registry,
	})
	if err != nil {
		notices.Close()
		return nil, nil, err
	}
	stripe.Share(c.replicas.Sharers(0))
	return stripe, notices, nil
}

// share keeps the controller's part of Stripe's rate limits right until the context ends.
func share(ctx context.Context, c *config, stripe *billing.Client, log *slog.Logger, registry *prometheus.Registry) error {
	if c.replicas.Gateways > 0 {
		return nil // said, not counted
	}
	return cluster.WatchReplicas(ctx, cluster.ReplicasOptions{
		Kubeconfig: c.kubeconfig, UserAgent: userAgent, Namespace: c.replicas.Namespace, Service: c.replicas.Service,
		Changed: func(gateways int) { stripe.Share(c.replicas.Sharers(gateways)) },
		Log:     log, Registerer: registry,
	})
}
