package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test's binary be the servers that bench's own binary is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == plainCommand || os.Args[1] == customersCommand) {
		os.Exit(mainCode(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestQuick is a smoke run: it keeps the benchmark from rotting, and says nothing about speed.
func TestQuick(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	var report bytes.Buffer
	dir := t.TempDir()
	if code := mainCode(ctx, []string{"-quick", "-root", "..", "-out", dir}, &report, t.Output()); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	for _, line := range []string{"| gateway |", "| plain `net/http`", "Kubernetes watches opened with 1 subscriber", "mean nothing"} {
		if !strings.Contains(report.String(), line) {
			t.Errorf("the report lacks %q:\n%s", line, report.String())
		}
	}
	var r result
	read(t, filepath.Join(dir, "*.json"), &r)
	if r.Dashboard.Gateway.Requests == 0 || r.Dashboard.Plain.Requests == 0 || r.Dashboard.AllocationsPerRequest <= 0 {
		t.Errorf("the load left no figures: %+v", r.Dashboard)
	}
	if r.Dashboard.StripeRequests > 5 {
		t.Errorf("%d requests to Stripe: the warm dashboard makes none but to refresh", r.Dashboard.StripeRequests)
	}
	if d := r.Directory; d.Ready <= 0 || d.Full < d.Ready || d.Pages < 5 || d.Requests <= d.Pages || d.Bytes <= 0 {
		t.Errorf("directory: %+v", d)
	}
	for _, p := range r.App.Pages {
		if p.FirstPaint <= 0 || p.Scripts < 10_000 || p.All < p.Scripts || p.Heap <= 0 {
			t.Errorf("page: %+v", p)
		}
	}
	if l := r.App.Log; l.Last != r.App.Lines || l.Rows < 10 || l.Heap <= 0 {
		t.Errorf("log: %+v", l)
	}
	if s := r.Subscribers; s.WatchesOfOne == 0 || s.WatchesOfOne != s.Watches || s.P50 <= 0 || s.P50 > s.Max {
		t.Errorf("subscribers: %+v", s)
	}
}

// read reads the one file of a pattern as JSON.
func read(t *testing.T, pattern string, into any) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %v (%v), want one file", pattern, files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// TestSettings holds that a run is bounded.
func TestSettings(t *testing.T) {
	for _, c := range []struct {
		reason string
		args   []string
		names  string
	}{
		{"a load has an end", []string{"-duration", "1h"}, "-duration"},
		{"a load takes time", []string{"-duration", "0s"}, "-duration"},
		{"clients are bounded", []string{"-workers", "100000"}, "-workers"},
		{"there is somebody to ask", []string{"-workers", "0"}, "-workers"},
		{"subscribers are bounded", []string{"-subscribers", "1000000"}, "-subscribers"},
		{"writes are bounded", []string{"-writes", "0"}, "-writes"},
		{"rounds are bounded", []string{"-rounds", "100"}, "-rounds"},
		{"a misspelt flag is none", []string{"-round", "1"}, "-round"},
	} {
		var text bytes.Buffer
		if code := mainCode(t.Context(), c.args, &text, &text); code == 0 || !strings.Contains(text.String(), c.names) {
			t.Errorf("%s: exit code %d, %q, want a failure that names %s", c.reason, code, text.String(), c.names)
		}
	}
}

// TestQuantile pins the quantiles down: they are what is published.
func TestQuantile(t *testing.T) {
	var taken []time.Duration
	for i := range 100 {
		taken = append(taken, time.Duration(100-i))
	}
	for part, want := range map[float64]time.Duration{0: 1, 0.5: 51, 0.9: 91, 0.99: 100, 1: 100} {
		if got := quantile(taken, part); got != want {
			t.Errorf("quantile %v is %d, want %d", part, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("the quantile of nothing is %d", got)
	}
}
