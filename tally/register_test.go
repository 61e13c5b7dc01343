package tally_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/tally"
)

func TestRegister(t *testing.T) {
	registry := prometheus.NewRegistry()
	cases := []struct {
		reason     string
		registerer prometheus.Registerer
		shared     bool
	}{
		{"two makers of one registerer count together", registry, true},
		{"without a registerer each counts for itself", nil, false},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			counter := func() prometheus.Counter {
				made, err := tally.Register(c.registerer, prometheus.NewCounter(prometheus.CounterOpts{Name: "tests_total"}))
				if err != nil {
					t.Fatal(err)
				}
				return made
			}
			if first, second := counter(), counter(); (first == second) != c.shared {
				t.Errorf("shared: %v, want %v", first == second, c.shared)
			}
		})
	}
	if _, err := tally.Register(registry, prometheus.NewGauge(prometheus.GaugeOpts{Name: "tests_total"})); err == nil {
		t.Error("a gauge took the name of a counter")
	}
}
