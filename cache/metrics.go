package cache

import (
	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/tally"
)

// The outcomes of a read.
const (
	// hit: a fresh value, or a remembered refusal.
	hit = "hit"
	// miss: the caller waited for a load, which answered.
	miss = "miss"
	// stale: an old value, because the upstream failed or is being asked behind it.
	stale = "stale"
	// failed: the load failed, and nothing was at hand.
	failed = "error"
)

// Metrics counts reads: drydock_cache_requests_total{cache,outcome}.
type Metrics struct {
	requests *prometheus.CounterVec
}

// NewMetrics registers the metrics; two callers of one registerer share them. A nil
// registerer counts without telling anybody.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	requests, err := tally.Register(registerer, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "drydock_cache_requests_total",
		Help: "Reads of a cache by outcome: hit, miss, stale or error.",
	}, []string{"cache", "outcome"}))
	if err != nil {
		return nil, err
	}
	return &Metrics{requests: requests}, nil
}
