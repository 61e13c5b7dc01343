package billing

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/tally"
)

// metrics are what the requests' and the caches' metrics do not tell.
type metrics struct {
	accounts, complete, twins prometheus.Gauge
	events                    *prometheus.CounterVec
	caughtUp                  prometheus.Gauge
}

// newMetrics registers the metrics; clients of one registerer share them.
func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	var errs []error
	gauge := func(name, help string) prometheus.Gauge {
		made, err := tally.Register(registerer, prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help}))
		errs = append(errs, err)
		return made
	}
	m := &metrics{
		accounts: gauge("drydock_directory_accounts", "Logins whose customer is known here."),
		complete: gauge("drydock_directory_complete", "1 when all customers were read since the start."),
		twins:    gauge("drydock_directory_duplicate_customers", "Customers that have the login of an older one, which is the account."),
		caughtUp: gauge("drydock_stripe_events_read_timestamp_seconds", "When the list of Stripe's events was last read to its end."),
	}
	events, err := tally.Register(registerer, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "drydock_stripe_events_total", Help: "Stripe's events heeded here, by how they came: webhook, or list where no webhook told.",
	}, []string{"source"}))
	m.events = events
	return m, errors.Join(append(errs, err)...)
}
