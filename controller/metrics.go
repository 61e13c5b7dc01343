package controller

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/metering"
)

type metrics struct {
	builds   *prometheus.CounterVec
	duration prometheus.Histogram
	waiting  prometheus.Histogram
	reports  *prometheus.CounterVec
	drift    *prometheus.GaugeVec
	compared prometheus.Gauge
	removed  prometheus.Counter
	hooks    *prometheus.CounterVec
	places   *prometheus.GaugeVec
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	buckets := prometheus.ExponentialBuckets(1, 2, 14) // 1 s to 2.3 h
	m := &metrics{
		builds: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "drydock_builds_ended_total", Help: "Builds that ended, by phase and reason.",
		}, []string{"phase", "reason"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "drydock_build_duration_seconds", Help: "From a build's Job to its end.", Buckets: buckets,
		}),
		waiting: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "drydock_build_queue_seconds", Help: "From a build's creation to its Job.", Buckets: buckets,
		}),
		reports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "drydock_build_meter_reports_total", Help: "Attempts to tell billing of a build's seconds, by outcome.",
		}, []string{"outcome"}),
		drift: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "drydock_metering_drift_seconds", Help: "What the last comparison found missing on the meter, or of no build, or undecided.",
		}, []string{"direction"}),
		compared: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "drydock_metering_reconciled_timestamp_seconds", Help: "When meter and builds of every account were compared last.",
		}),
		places: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "drydock_build_places", Help: "Builds that hold a place, and accounts whose next build waits for one.",
		}, []string{"state"}),
	}
	m.removed = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "drydock_builds_removed_total", Help: "Ended builds that were deleted because they are kept no longer.",
	})
	m.hooks = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "drydock_build_webhooks_total", Help: "Attempts to tell images' webhooks of ended builds, by outcome.",
	}, []string{"outcome"})
	if registerer != nil {
		registerer.MustRegister(m.builds, m.duration, m.waiting, m.reports, m.drift, m.compared, m.removed, m.places, m.hooks)
	}
	return m
}

func (m *metrics) ended(build *v1alpha1.Build) {
	m.builds.WithLabelValues(string(build.Status.Phase), build.Status.Reason).Inc()
	if build.Status.StartTime != nil {
		m.duration.Observe(float64(Seconds(build)))
	}
}

func (m *metrics) started(build *v1alpha1.Build) {
	m.waiting.Observe(build.Status.StartTime.Sub(build.CreationTimestamp.Time).Seconds())
}

func (m *metrics) reported(err error) {
	outcome := "ok"
	if err != nil {
		outcome = "error"
	}
	m.reports.WithLabelValues(outcome).Inc()
}

func (m *metrics) reconciled(report *metering.Report, at time.Time) {
	m.drift.WithLabelValues("missing").Set(float64(report.Missing()))
	m.drift.WithLabelValues("surplus").Set(float64(report.Surplus()))
	m.drift.WithLabelValues("undecided").Set(float64(report.Undecided()))
	if len(report.Unread) == 0 {
		m.compared.Set(float64(at.Unix()))
	}
}

func (m *metrics) shared(taken, waiting int) {
	m.places.WithLabelValues("taken").Set(float64(taken))
	m.places.WithLabelValues("waited_for").Set(float64(waiting))
}
