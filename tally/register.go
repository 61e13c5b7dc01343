package tally

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Register registers a collector of a process's counts, or gives the one of the same name
// and labels that is there already, so that the makers of several clients share it. With a
// nil registerer the collector counts without telling anybody.
func Register[C prometheus.Collector](registerer prometheus.Registerer, collector C) (C, error) {
	if registerer == nil {
		return collector, nil
	}
	err := registerer.Register(collector)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if held, ok := already.ExistingCollector.(C); ok {
			return held, nil
		}
	}
	return collector, err
}
