package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/controller"
)

// routes are /livez, /readyz (what is ready and what is not) and /metrics.
func routes(builds *controller.Controller, stripe *billing.Client, notices *cluster.Notices, converts *conversions, registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		report := readiness{Ready: true, Leading: builds.Leading(), Checks: map[string]string{}}
		report.check("kubernetes", builds.Ready(r.Context()))
		if report.Leading { // who stands by does not ask
			report.check("billing", stripe.Ready())
		}
		report.check("notices", notices.Ready())
		converts.check(&report)
		report.write(w)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.Gatherers{registry, ctrlmetrics.Registry}, promhttp.HandlerOpts{}))
	return mux
}

type readiness struct {
	Ready bool `json:"ready"`
	// Leading tells whether this replica works; others stand by.
	Leading bool              `json:"leading"`
	Checks  map[string]string `json:"checks"`
}

func (r *readiness) check(name string, err error) {
	r.Checks[name] = "ok"
	if err != nil {
		r.Ready, r.Checks[name] = false, err.Error()
	}
}

func (r *readiness) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if !r.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(r) // the client may be gone
}

// serve answers until the context ends.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // clients' doings
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
