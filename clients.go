package main

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/cluster"
)

// userAgent is what Kubernetes' audit log calls a gateway.
const userAgent = "drydock-gateway"

// clients are the ways to Stripe, to Kubernetes and to the other replicas.
type clients struct {
	money   *billing.Client
	kube    *cluster.Client
	notices *cluster.Notices
}

// newClients makes the clients; nothing is asked of anybody yet. Close them.
func newClients(c *config, log *slog.Logger, registry *prometheus.Registry) (made *clients, err error) {
	made = &clients{}
	defer func() {
		if err != nil {
			made.close()
		}
	}()
	made.notices, err = cluster.NewNotices(cluster.NoticesOptions{
		Kubeconfig: c.kubeconfig, UserAgent: userAgent, Namespace: c.replicas.Namespace,
		Heard:  func(notices []string) { made.money.Hear(notices) },
		Missed: func() { made.money.HearAll() },
		Log:    log.With("part", "notices"), Registerer: registry,
	})
	if err != nil {
		return made, err
	}
	made.money, err = billing.New(billing.Options{
		Key: c.stripe.Key, APIBase: c.stripe.APIBase, Limits: billing.Limits(c.stripe.Rates),
		WebhookSecrets: c.webhooks.secrets, CatchUpEvery: c.stripe.CatchUpEvery, Grace: c.stripe.Grace, Announce: made.notices.Announce,
		Log: log.With("part", "billing"), Registerer: registry,
	})
	if err != nil {
		return made, err
	}
	made.money.Share(c.replicas.Sharers(0))
	made.kube, err = cluster.New(cluster.Options{
		Kubeconfig: c.kubeconfig, UserAgent: userAgent, Billed: made.money.ForgetUsage,
		Log: log.With("part", "cluster"), Registerer: registry,
	})
	return made, err
}

// share keeps this replica's part of Stripe's rate limits right until the context ends.
func (all *clients) share(ctx context.Context, c *config, log *slog.Logger, registry *prometheus.Registry) {
	if c.replicas.Gateways > 0 {
		return // said, not counted
	}
	err := cluster.WatchReplicas(ctx, cluster.ReplicasOptions{
		Kubeconfig: c.kubeconfig, UserAgent: userAgent, Namespace: c.replicas.Namespace, Service: c.replicas.Service,
		Changed: func(gateways int) { all.money.Share(c.replicas.Sharers(gateways)) },
		Log:     log.With("part", "replicas"), Registerer: registry,
	})
	if err != nil {
		log.Error("replicas are not counted", "error", err.Error())
	}
}

// close ends the clients that are there: first those that tell the others something.
func (all *clients) close() {
	if all.kube != nil {
		all.kube.Close()
	}
	if all.notices != nil {
		all.notices.Close()
	}
	if all.money != nil {
		all.money.Close()
	}
}
