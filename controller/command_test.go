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

// unhurried lets the command ask as often as it likes: the builds of other tests' accounts
// may be many.
const unhurried = "--stripe-rate-limits=total=2000,endpoint=2000,search=2000"

// TestDecideCommand runs the real `drydock reconcile` over a minute that nothing explains.
func TestDecideCommand(t *testing.T) {
	w := newWorld(t)
	w.alone()
	minute := time.Now().UTC().Truncate(time.Hour).Add(-30 * time.Hour)
	build := w.finished(w.image("app"), 1, 60, minute)
	w.event("by hand", 45, minute)
	binary, where := program(t, ".."), w.login+"@"+minute.Format(time.RFC3339)
	reconcile := func(args ...string) (stdout string, exit int) {
		command := exec.CommandContext(t.Context(), binary, append([]string{"reconcile", unhurried}, args...)...)
		command.Env = w.environment()
		out, _ := command.Output() // the exit code tells
		return string(out), command.ProcessState.ExitCode()
	}
	if stdout, exit := reconcile(); exit != 3 || !strings.Contains(stdout, "--decide "+where+"=counted or =missing") {
		t.Errorf("exit %d: it printed %q", exit, stdout)
	}
	if stdout, exit := reconcile("--decide", where+"=counted"); exit != 0 {
		t.Errorf("exit %d: it printed %q", exit, stdout)
	}
	if got := w.await(build, "billed", billed).Status.Billing.Seconds; got != 60 {
		t.Errorf("%d seconds are billed, want 60", got)
	}
	if _, exit := reconcile("--decide", where+"=counted"); exit != 1 {
		t.Errorf("a decision about nothing: exit %d, want 1", exit)
	}
}

// TestReconcileShare: the command takes its part of Stripe's rate limits, not all of
// them, and does not search for many accounts one by one.
func TestReconcileShare(t *testing.T) {
	w := newWorld(t)
	w.alone()
	image, hour := w.image("app"), time.Now().UTC().Truncate(time.Hour).Add(-30*time.Hour)
	const minutes, accounts = 6, 110
	for n := range int64(minutes) {
		build := w.finished(image, n+1, 60, hour.Add(time.Duration(n)*time.Minute))
		build.Status.Billing = &v1alpha1.BuildBilling{Seconds: 60, ReportTime: *build.Status.CompletionTime}
		w.writeStatus(build)
	}
	binary := program(t, "..")
	reconcile := func(args ...string) (stdout string) {
		command := exec.CommandContext(t.Context(), binary, append([]string{"reconcile"}, args...)...)
		command.Env = w.environment()
		out, _ := command.Output() // the drifts are no matter here
		return string(out)
	}
	began := time.Now()
	reconcile("--stripe-rate-limits", "endpoint=10")
	// 7 requests for sums, at a tenth of nine tenths of 10 a second.
	if took := time.Since(began); took < 3*time.Second {
		t.Errorf("%d requests took %s: more than a tenth of the limit", minutes+1, took)
	}
	for range accounts {
		other := *w
		other.newAccount()
		other.bill(other.finished(image.DeepCopy(), 1, 60, hour))
	}
	w.stripe.ResetRequests()
	stdout := reconcile("--stripe-rate-limits", "total=2000,endpoint=2000,search=20")
	if want := "builds of 111 accounts"; !strings.Contains(stdout, want) {
		t.Errorf("it printed %.200q, not %q", stdout, want)
	}
	if got := w.stripe.Requests()["GET /v1/customers/search"]; got > accounts/2 {
		t.Errorf("%d searches for %d accounts", got, accounts)
	}
}

// TestReconcileCommand runs the real `drydock reconcile` over a meter that lacks a
// build: it tells, repairs when asked to, and says so in its exit code.
func TestReconcileCommand(t *testing.T) {
	w := newWorld(t)
	w.alone()
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
		command := exec.CommandContext(t.Context(), binary, append([]string{"reconcile", unhurried}, c.args...)...)
		command.Env = w.environment()
		var stderr strings.Builder
		command.Stderr = &stderr
		stdout, err := command.Output()
		var failed *exec.ExitError
		if errors.As(err, &failed) != (c.exit != 0) || failed != nil && failed.ExitCode() != c.exit {
			t.Errorf("%s: %v, want exit %d: %s", c.reason, err, c.exit, &stderr)
		}
		if tells := strings.Contains(stderr.String(), "a missing build was reported"); tells != (c.exit == 0 && c.args != nil) {
			t.Errorf("%s: it logged %q", c.reason, &stderr)
		}
		if !strings.Contains(string(stdout), c.stdout) {
			t.Errorf("%s: it printed %q, not %q", c.reason, stdout, c.stdout)
		}
		if got := w.stripe.MeterSum(w.customer, day, day.Add(time.Minute)); got != c.metered {
			t.Errorf("%s: Stripe holds %d seconds, want %d", c.reason, got, c.metered)
		}
	}
}
