package controller_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// TestReconcileCommand runs the real `drydock reconcile` over a meter that lacks a
// build: it tells, repairs when asked to, and says so in its exit code.
func TestReconcileCommand(t *testing.T) {
	w := newWorld(t)
	binary := program(t, "..")
	image := w.image("app")
	day := time.Now().UTC().Truncate(time.Hour).Add(-30 * time.Hour)
	for n, counted := range []bool{true, false} {
		build := w.finished(image, int64(n+1), 60, day.Add(time.Duration(n)*time.Second))
		build.Status.Billing = &v1alpha1.BuildBilling{Seconds: 60, ReportTime: metav1.NewTime(day.Add(time.Minute))}
		w.writeStatus(build)
		if counted {
			w.count(build)
		}
	}
	cases := []struct {
		reason  string
		args    []string
		exit    int
		stdout  string
		metered int64
	}{
		{"a dry run tells", nil, 3, "--apply reports 1 builds", 60},
		{"and changes nothing", []string{"--since", "40h"}, 3, "60 seconds are missing", 60},
		{"a repair reports it", []string{"--apply"}, 0, "reported 1 builds", 120},
		{"then both sides agree", nil, 0, "0 seconds are missing on the meter, 0 are too many", 120},
	}
	for _, c := range cases {
		command := exec.CommandContext(t.Context(), binary, append([]string{"reconcile"}, c.args...)...)
		command.Env = w.environment()
		stdout, err := command.Output()
		var failed *exec.ExitError
		if errors.As(err, &failed) != (c.exit != 0) || failed != nil && failed.ExitCode() != c.exit {
			t.Errorf("%s: %v, want exit %d: %s", c.reason, err, c.exit, failed.Stderr)
		}
		if !strings.Contains(string(stdout), c.stdout) {
			t.Errorf("%s: it printed %q, not %q", c.reason, stdout, c.stdout)
		}
		if got := w.stripe.MeterSum(w.customer, day, day.Add(time.Minute)); got != c.metered {
			t.Errorf("%s: Stripe holds %d seconds, want %d", c.reason, got, c.metered)
		}
	}
}
