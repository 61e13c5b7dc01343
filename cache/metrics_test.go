package cache_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"drydock.dev/drydock/cache"
)

func TestMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	metrics, err := cache.NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	again, err := cache.NewMetrics(registry)
	if err != nil {
		t.Fatal("a second client of one registry:", err)
	}
	for _, m := range []*cache.Metrics{metrics, again} {
		held, _ := newCache(t, cache.Options{TTL: time.Minute, Metrics: m})
		for range 3 {
			if _, err := held.Get(t.Context(), "key", func(context.Context) (string, error) { return "a", nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := `
# HELP drydock_cache_requests_total Reads of a cache by outcome: hit, miss, stale or error.
# TYPE drydock_cache_requests_total counter
drydock_cache_requests_total{cache="test",outcome="hit"} 4
drydock_cache_requests_total{cache="test",outcome="miss"} 2
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
