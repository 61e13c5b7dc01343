package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/metering"
)

// TestReconcileSettings: what is wrong or missing is told in one line that names it.
func TestReconcileSettings(t *testing.T) {
	away := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(away, []byte(nowhere), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		reason string
		args   []string
		exit   int
		stderr string
	}{
		{"no key", nil, 2, "--stripe-key (STRIPE_SECRET_KEY"},
		{"a span that is none", []string{"--stripe-key", "sk_test_x", "--since", "yesterday"}, 2, "-since"},
		{"a span that Stripe does not take events of", []string{"--stripe-key", "sk_test_x", "--since", "841h"}, 2, "--since (DRYDOCK_RECONCILE_SINCE)"},
		{"no share", []string{"--stripe-key", "sk_test_x", "--share", "0"}, 2, "--share (DRYDOCK_RECONCILE_SHARE)"},
		{"a decision without a word", []string{"--stripe-key", "sk_test_x", "--decide", "ada@2024-05-15T12:07:00Z"}, 2, "--decide (DRYDOCK_RECONCILE_DECIDE)"},
		{"a decision about no minute", []string{"--stripe-key", "sk_test_x", "--decide", "ada@2024-05-15T12:07:01Z=counted"}, 2, "ada@2024-05-15T12:07:00Z=counted"},
		{"a word that is no setting", []string{"--stripe-key", "sk_test_x", "now"}, 2, `"now"`},
		{"a kubeconfig that is not there", []string{"--stripe-key", "sk_test_x", "--kubeconfig", away + ".none"}, 1, "kubeconfig"},
		{"a cluster that does not answer", []string{"--stripe-key", "sk_test_x", "--kubeconfig", away}, 1, "connection refused"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			var stdout, stderr strings.Builder
			exit := run(t.Context(), append([]string{"reconcile"}, c.args...), func(string) string { return "" }, &stdout, &stderr)
			if exit != c.exit {
				t.Errorf("exit %d, want %d", exit, c.exit)
			}
			if text := stderr.String(); !strings.Contains(text, c.stderr) || strings.Count(text, "\n") != 1 {
				t.Errorf("stderr %q, want one line with %q", text, c.stderr)
			}
		})
	}
}

// TestReconcileTells: what is printed of a report, and the exit code.
func TestReconcileTells(t *testing.T) {
	noon := time.Date(2024, time.May, 15, 12, 0, 0, 0, time.UTC)
	drift := metering.Drift{Login: "ada", Start: noon, End: noon.Add(time.Minute), Billed: 90, Unsure: 5, Metered: 30, Repair: []metering.Build{{UID: "u", Seconds: 60}}}
	undecided := metering.Drift{Login: "ada", Start: noon, End: noon.Add(time.Minute), Unsure: 60, Metered: 45, Undecided: true, Why: "unexplained"}
	repaired, unclear := drift, drift
	repaired.Repaired = true
	unclear.Repair, unclear.Why = nil, "nobody knows"
	cases := []struct {
		reason string
		report metering.Report
		exit   int
		stdout []string
		stderr string
	}{
		{"no drift", metering.Report{Accounts: 2, Builds: 7, Seconds: 90}, 0, []string{"7 builds of 2 accounts, 90 seconds", "0 seconds are missing on the meter, 0 are too many"}, ""},
		{"a drift that can be repaired", metering.Report{Drifts: []metering.Drift{drift}}, 3, []string{
			"60 seconds are missing on the meter, 0 are too many", "ACCOUNT  FROM",
			"ada      2024-05-15T12:00:00Z  2024-05-15T12:01:00Z  90      5       30       60       0        --apply reports 1 builds"}, ""},
		{"one that was", metering.Report{Drifts: []metering.Drift{repaired}}, 0, []string{"reported 1 builds"}, ""},
		{"one that cannot be", metering.Report{Drifts: []metering.Drift{repaired, unclear}}, 3, []string{"nobody knows"}, ""},
		{"one that waits for somebody", metering.Report{Drifts: []metering.Drift{undecided}}, 3, []string{
			"0       60      45       0        0        unexplained: --decide ada@2024-05-15T12:00:00Z=counted or =missing"}, ""},
		{"an account that cannot be read", metering.Report{Unread: map[string]error{"ada": fault.New(fault.Unavailable, "down")}}, 1, nil, "the meter of ada could not be read: "},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			var stdout, stderr strings.Builder
			if exit := tell(&stdout, &stderr, &c.report); exit != c.exit {
				t.Errorf("exit %d, want %d", exit, c.exit)
			}
			for _, want := range c.stdout {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("stdout %q lacks %q", stdout.String(), want)
				}
			}
			if got := stderr.String(); !strings.HasPrefix(strings.TrimPrefix(got, "drydock reconcile: "), c.stderr) || (c.stderr == "") != (got == "") {
				t.Errorf("stderr %q, want %q", got, c.stderr)
			}
		})
	}
}
