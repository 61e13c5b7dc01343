package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// nothing is an empty environment.
func nothing(string) string { return "" }

// TestSettings: what is wrong or missing is told in one line that names it, exit 2.
func TestSettings(t *testing.T) {
	dir := t.TempDir()
	kubeconfig := filepath.Join(dir, "kubeconfig")
	write(t, kubeconfig, `{"apiVersion":"v1","kind":"Config","clusters":[{"name":"a","cluster":{"server":"https://127.0.0.1:1"}}],"contexts":[{"name":"a","context":{"cluster":"a"}}],"current-context":"a"}`)
	cases := []struct {
		reason string
		args   []string
		exit   int
		stderr string
	}{
		{"a flag that is none", []string{"--nope"}, 2, "-nope"},
		{"no key", []string{"--kubeconfig", kubeconfig}, 2, "--stripe-key (STRIPE_SECRET_KEY"},
		{"no way to Kubernetes", []string{"--stripe-key", "sk_test_x"}, 2, "--kubeconfig (KUBECONFIG) is missing"},
		{"a kubeconfig that is not there", []string{"--stripe-key", "sk_test_x", "--kubeconfig", dir + "/none"}, 2, "--kubeconfig (KUBECONFIG)"},
		{"a duration that is none", []string{"--lease-duration", "soon"}, 2, "-lease-duration"},
		{"a duration that is too short", []string{"--stripe-key", "sk_test_x", "--lease-duration", "1ms"}, 2, "--lease-duration"},
		{"builds kept that are fewer than none", []string{"--stripe-key", "sk_test_x", "--keep-builds", "-1"}, 2, "--keep-builds"},
		{"builds kept for minutes", []string{"--stripe-key", "sk_test_x", "--keep-builds-for", "5m"}, 2, "--keep-builds-for"},
		{"an owner at GitHub that is a path", []string{"--stripe-key", "sk_test_x", "--github-owners", "acme,acme/app"}, 2, "--github-owners"},
		{"a GitHub that is no URL", []string{"--stripe-key", "sk_test_x", "--github-url", "github.com"}, 2, "--github-url"},
		{"a public URL that is none", []string{"--stripe-key", "sk_test_x", "--public-url", "drydock"}, 2, "--public-url"},
		{"a webhook host that is a URL", []string{"--stripe-key", "sk_test_x", "--webhook-hosts", "http://ci"}, 2, "--webhook-hosts"},
		{"no worker", []string{"--stripe-key", "sk_test_x", "--workers", "0"}, 2, "--workers"},
		{"fewer builds than none", []string{"--stripe-key", "sk_test_x", "--max-builds", "-1"}, 2, "--max-builds"},
		{"a range that is an address", []string{"--stripe-key", "sk_test_x", "--cluster-cidrs", "10.0.0.0/8,10.1.2.3"}, 2, "--cluster-cidrs"},
		{"a range with bits behind its mask", []string{"--stripe-key", "sk_test_x", "--build-egress", "10.1.2.3/8"}, 2, "--build-egress"},
		{"an insecure registry that is a URL", []string{"--stripe-key", "sk_test_x", "--insecure-registries", "http://old.example.com"}, 2, "--insecure-registries"},
		{"base images that are asked for all the time", []string{"--stripe-key", "sk_test_x", "--base-image-interval", "0s"}, 2, "--base-image-interval"},
		{"a log format that is none", []string{"--stripe-key", "sk_test_x", "--log-format", "xml"}, 2, "--log-format"},
		{"an API base that is none", []string{"--stripe-key", "sk_test_x", "--kubeconfig", kubeconfig, "--stripe-api-base", "stripe", "--metrics-listen", "127.0.0.1:0"}, 2, "--stripe-api-base"},
		{"an address that cannot be listened on", []string{"--stripe-key", "sk_test_x", "--kubeconfig", kubeconfig, "--metrics-listen", "nowhere"}, 2, "--metrics-listen"},
		{"a conversion address that is none", []string{"--stripe-key", "sk_test_x", "--conversion-listen", "nowhere"}, 2, "--conversion-listen"},
		{"a migration without workers", []string{"migrate-storage", "--workers", "0"}, 2, "--workers"},
		{"a strategy that is empty", []string{"--stripe-key", "sk_test_x", "--strategy", ""}, 2, "--strategy"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			var stdout, stderr strings.Builder
			if exit := run(t.Context(), c.args, nothing, &stdout, &stderr); exit != c.exit {
				t.Errorf("exit %d, want %d", exit, c.exit)
			}
			if text := stderr.String(); !strings.Contains(text, c.stderr) || strings.Count(text, "\n") != 1 {
				t.Errorf("stderr %q, want one line with %q", text, c.stderr)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr strings.Builder
	if exit := run(t.Context(), []string{"--help"}, nothing, &stdout, &stderr); exit != 0 {
		t.Errorf("exit %d: %s", exit, &stderr)
	}
	for _, want := range []string{"--kubeconfig", "KUBECONFIG", "--stripe-api-base", "STRIPE_API_BASE", "STRIPE_SECRET_KEY_FILE", "--strategy", "DRYDOCK_STRATEGY"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the help does not tell of %s:\n%s", want, &stdout)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
