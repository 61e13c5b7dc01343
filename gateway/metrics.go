package gateway

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are what the gateway counts.
type metrics struct {
	requests         *prometheus.CounterVec
	requestSeconds   *prometheus.HistogramVec
	operations       *prometheus.CounterVec
	operationSeconds *prometheus.HistogramVec
	events           *prometheus.CounterVec
	subscribers      *prometheus.GaugeVec
	sockets          prometheus.Gauge
	webhooks         *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	make := promauto.With(registerer)
	return &metrics{
		requests: make.NewCounterVec(prometheus.CounterOpts{
			Name: "drydock_http_requests_total", Help: "HTTP requests by route, method and status.",
		}, []string{"route", "method", "code"}),
		requestSeconds: make.NewHistogramVec(prometheus.HistogramOpts{
			Name: "drydock_http_request_duration_seconds", Help: "Duration of HTTP requests by route, without streams.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 12),
		}, []string{"route"}),
		operations: make.NewCounterVec(prometheus.CounterOpts{
			Name: "drydock_graphql_operations_total", Help: "GraphQL operations by type and outcome: OK or the first error's code.",
		}, []string{"type", "outcome"}),
		operationSeconds: make.NewHistogramVec(prometheus.HistogramOpts{
			Name: "drydock_graphql_operation_duration_seconds", Help: "Duration of queries and mutations.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 12),
		}, []string{"type"}),
		events: make.NewCounterVec(prometheus.CounterOpts{
			Name: "drydock_graphql_events_total", Help: "Responses sent to subscribers, by transport.",
		}, []string{"transport"}),
		subscribers: make.NewGaugeVec(prometheus.GaugeOpts{
			Name: "drydock_graphql_subscriptions", Help: "Open GraphQL subscriptions by transport.",
		}, []string{"transport"}),
		sockets: make.NewGauge(prometheus.GaugeOpts{
			Name: "drydock_websocket_connections", Help: "Open WebSocket connections.",
		}),
		webhooks: make.NewCounterVec(prometheus.CounterOpts{
			Name: "drydock_webhooks_total", Help: "Webhook deliveries by source and outcome: taken, refused, again (the sender is to repeat it) or off (not set up).",
		}, []string{"source", "outcome"}),
	}
}
