package main

import (
	"bytes"
	"encoding/base64"
	"flag"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/settings"
)

var oneKey = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))

// file writes a file for a test.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettings(t *testing.T) {
	whole := func(change ...string) map[string]string {
		env := map[string]string{
			"STRIPE_SECRET_KEY": "sk_test_1", "KUBECONFIG": file(t, "{}"), "DRYDOCK_SESSION_KEYS": oneKey,
			"GITHUB_CLIENT_ID": "app", "GITHUB_CLIENT_SECRET": "s3cret",
		}
		for i := 0; i < len(change); i += 2 {
			env[change[i]] = change[i+1]
		}
		return env
	}
	tests := []struct {
		reason string
		args   []string
		env    map[string]string
		// err is what the one line says; empty where all is well.
		err   string
		check func(*config) bool
	}{
		{"all from the environment", nil, whole(), "", func(c *config) bool { return c.stripe.Key == "sk_test_1" && c.listen == "127.0.0.1:8080" }},
		{"a flag before the environment", []string{"--listen", ":9090"}, whole("DRYDOCK_LISTEN", ":7070"), "", func(c *config) bool { return c.listen == ":9090" }},
		{"a secret from a file, without its line end", nil, whole("STRIPE_SECRET_KEY", "", "STRIPE_SECRET_KEY_FILE", file(t, "sk_test_2\n")), "", func(c *config) bool { return c.stripe.Key == "sk_test_2" }},
		{"in a pod no kubeconfig is needed", nil, whole("KUBECONFIG", "", "KUBERNETES_SERVICE_HOST", "10.0.0.1"), "", func(c *config) bool { return c.inCluster }},
		{"for development keys are made up", []string{"--dev"}, whole("DRYDOCK_SESSION_KEYS", "", "GITHUB_CLIENT_ID", "", "GITHUB_CLIENT_SECRET", ""), "", func(c *config) bool { return c.generated && c.keys != nil }},
		{"a duration", nil, whole("DRYDOCK_SESSION_TTL", "36h"), "", func(c *config) bool { return c.sessionTTL == 36*time.Hour }},
		{"a boolean that is false", nil, whole("DRYDOCK_INTROSPECTION", "false"), "", func(c *config) bool { return !c.introspection }},

		{"no Stripe key", nil, whole("STRIPE_SECRET_KEY", ""), "--stripe-key (STRIPE_SECRET_KEY) is missing", nil},
		{"a key that is public", nil, whole("STRIPE_SECRET_KEY", "pk_test_1"), "--stripe-key (STRIPE_SECRET_KEY) is not a secret", nil},
		{"no session keys", nil, whole("DRYDOCK_SESSION_KEYS", ""), "--session-keys (DRYDOCK_SESSION_KEYS) is missing", nil},
		{"a session key that is none", nil, whole("DRYDOCK_SESSION_KEYS", "abc"), "--session-keys (DRYDOCK_SESSION_KEYS) holds no keys", nil},
		{"no kubeconfig outside of a cluster", nil, whole("KUBECONFIG", ""), "--kubeconfig (KUBECONFIG) is missing", nil},
		{"a kubeconfig that is not there", nil, whole("KUBECONFIG", "/nowhere/kubeconfig"), "--kubeconfig (KUBECONFIG) cannot be read", nil},
		{"no way to sign in", nil, whole("GITHUB_CLIENT_ID", "", "GITHUB_CLIENT_SECRET", ""), "--github-client-id (GITHUB_CLIENT_ID) is missing", nil},
		{"half a GitHub app", nil, whole("GITHUB_CLIENT_SECRET", ""), "--github-client-secret (GITHUB_CLIENT_SECRET) is missing", nil},
		{"a listen address without a port", []string{"--listen", "localhost"}, whole(), "--listen (DRYDOCK_LISTEN) is not an address", nil},
		{"a public URL that is none", nil, whole("DRYDOCK_PUBLIC_URL", "drydock.example.com"), "--public-url (DRYDOCK_PUBLIC_URL) is not a URL", nil},
		{"a public URL with a path", nil, whole("DRYDOCK_PUBLIC_URL", "https://example.com/drydock"), "--public-url (DRYDOCK_PUBLIC_URL) has a path", nil},
		{"a Stripe API that is no URL", nil, whole("STRIPE_API_BASE", "localhost:1"), "--stripe-api-base (STRIPE_API_BASE) is not a URL", nil},
		{"a webhook secret", nil, whole("STRIPE_WEBHOOK_SECRETS", "whsec_1"), "", func(c *config) bool { return slices.Equal(c.webhooks.secrets, []string{"whsec_1"}) }},
		{"two webhook secrets, while they are rotated", nil, whole("STRIPE_WEBHOOK_SECRETS", "whsec_1, whsec_2"), "", func(c *config) bool { return slices.Equal(c.webhooks.secrets, []string{"whsec_1", "whsec_2"}) }},
		{"rate limits", nil, whole("STRIPE_RATE_LIMITS", "total=50, meter-events=10.5,concurrency=4"), "", func(c *config) bool {
			return c.stripe.Rates == settings.Rates{Total: 50, MeterEvents: 10.5, Concurrency: 4}
		}},
		{"where replicas meet, by default", nil, whole(), "", func(c *config) bool {
			return c.replicas == settings.Replicas{Namespace: "drydock-system", Service: "drydock-gateway"}
		}},
		{"a number of replicas in place of a service", []string{"--service", "", "--replicas", "3"}, whole(), "", func(c *config) bool { return c.replicas.Sharers(0) == 4 }},

		{"a webhook secret that is none", nil, whole("STRIPE_WEBHOOK_SECRETS", "sk_test_1"), "--stripe-webhook-secrets (STRIPE_WEBHOOK_SECRETS) holds one that is not a signing secret", nil},
		{"three webhook secrets", nil, whole("STRIPE_WEBHOOK_SECRETS", "whsec_1,whsec_2,whsec_3"), "--stripe-webhook-secrets (STRIPE_WEBHOOK_SECRETS) holds 3 secrets", nil},
		{"an unknown rate limit", nil, whole("STRIPE_RATE_LIMITS", "all=50"), `--stripe-rate-limits (STRIPE_RATE_LIMITS) has an unknown limit "all"`, nil},
		{"a rate limit that is no number", nil, whole("STRIPE_RATE_LIMITS", "total=many"), "--stripe-rate-limits (STRIPE_RATE_LIMITS) is not a number above 0 for total", nil},
		{"a rate limit of nothing", nil, whole("STRIPE_RATE_LIMITS", "total=0"), "--stripe-rate-limits (STRIPE_RATE_LIMITS) is not a number above 0 for total", nil},
		{"half a request at once", nil, whole("STRIPE_RATE_LIMITS", "concurrency=1.5"), "--stripe-rate-limits (STRIPE_RATE_LIMITS) is not a whole number for concurrency", nil},
		{"a catch-up without a pause", nil, whole("DRYDOCK_CATCH_UP_EVERY", "0s"), "--catch-up-every (DRYDOCK_CATCH_UP_EVERY) is less than 1s", nil},
		{"a grace that is over before it begins", nil, whole("DRYDOCK_GRACE_PERIOD", "-1h"), "--grace-period (DRYDOCK_GRACE_PERIOD) is less than 1s", nil},
		{"no namespace", []string{"--namespace", ""}, whole(), "--namespace (DRYDOCK_NAMESPACE) is empty", nil},
		{"no service", []string{"--service", ""}, whole(), "--service (DRYDOCK_SERVICE) is empty", nil},
		{"fewer replicas than none", nil, whole("DRYDOCK_REPLICAS", "-1"), "--replicas (DRYDOCK_REPLICAS) is less than 0", nil},
		{"a secret twice", nil, whole("STRIPE_SECRET_KEY_FILE", file(t, "x")), "STRIPE_SECRET_KEY and STRIPE_SECRET_KEY_FILE are both set", nil},
		{"a secret's file that is not there", nil, whole("STRIPE_SECRET_KEY", "", "STRIPE_SECRET_KEY_FILE", "/nowhere/key"), "STRIPE_SECRET_KEY_FILE cannot be read", nil},
		{"no boolean", nil, whole("DRYDOCK_DEV", "maybe"), "DRYDOCK_DEV (--dev)", nil},
		{"no duration", []string{"--session-ttl", "long"}, whole(), "session-ttl", nil},
		{"a session that lasts no time", nil, whole("DRYDOCK_SESSION_TTL", "1s"), "--session-ttl (DRYDOCK_SESSION_TTL) is not between", nil},
		{"no depth", nil, whole("DRYDOCK_MAX_DEPTH", "0"), "--max-depth (DRYDOCK_MAX_DEPTH) is less than 1", nil},
		{"no complexity", nil, whole("DRYDOCK_MAX_COMPLEXITY", "-1"), "--max-complexity (DRYDOCK_MAX_COMPLEXITY) is less than 1", nil},
		{"no time for a query", nil, whole("DRYDOCK_QUERY_TIMEOUT", "0s"), "--query-timeout (DRYDOCK_QUERY_TIMEOUT) is not more", nil},
		{"no time to drain", nil, whole("DRYDOCK_DRAIN_TIMEOUT", "-1s"), "--drain-timeout (DRYDOCK_DRAIN_TIMEOUT) is not more", nil},
		{"insecure registries", nil, whole("DRYDOCK_INSECURE_REGISTRIES", "Old.example.com, 10.0.0.1:5000"), "", func(c *config) bool {
			return slices.Equal(c.registries.Insecure, []string{"old.example.com", "10.0.0.1:5000"}) && !c.registries.Private
		}},
		{"no registry on this host", nil, whole(), "", func(c *config) bool { return !c.registryRules().Plain("127.0.0.1:5000") }},
		{"a registry on this host that the operator lists", nil, whole("DRYDOCK_INSECURE_REGISTRIES", "127.0.0.1:5000"), "", func(c *config) bool {
			return c.registryRules().Plain("127.0.0.1:5000") && !c.registryRules().Plain("127.0.0.1:5001")
		}},
		{"registries on this host for development", []string{"--dev"}, whole(), "", func(c *config) bool { return c.registryRules().Plain("localhost:5000") }},
		{"an insecure registry with a path", nil, whole("DRYDOCK_INSECURE_REGISTRIES", "old.example.com/team"), "--insecure-registries (DRYDOCK_INSECURE_REGISTRIES) holds what is not host or host:port", nil},
		{"a log format that is none", nil, whole("DRYDOCK_LOG_FORMAT", "xml"), "--log-format (DRYDOCK_LOG_FORMAT) is neither", nil},
		{"a log level that is none", nil, whole("DRYDOCK_LOG_LEVEL", "loud"), "--log-level (DRYDOCK_LOG_LEVEL) is not debug", nil},
		{"a flag that there is not", []string{"--nothing"}, whole(), "nothing", nil},
		{"a word too many", []string{"serve"}, whole(), `no setting "serve"`, nil},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			getenv := func(name string) string { return test.env[name] }
			c, err := readConfig(test.args, getenv, io.Discard)
			if test.err == "" {
				if err != nil || !test.check(c) {
					t.Fatalf("%v: %+v", err, c)
				}
				return
			}
			var out, errs bytes.Buffer
			if code := run(t.Context(), test.args, getenv, &out, &errs); code != 2 {
				t.Errorf("exit code %d", code)
			}
			line := errs.String()
			if !strings.HasPrefix(line, "drydock: ") || !strings.Contains(line, test.err) || strings.Count(line, "\n") != 1 || out.Len() > 0 {
				t.Errorf("said %q%q, want one line with %q", line, out.String(), test.err)
			}
			if strings.Contains(line, "s3cret") || strings.Contains(line, "sk_test") || strings.Contains(line, "whsec_1") {
				t.Errorf("a secret in %q", line)
			}
		})
	}
}

func TestHelpTellsEverySetting(t *testing.T) {
	var out bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, func(string) string { return "" }, &out, io.Discard); code != 0 {
		t.Errorf("exit code %d", code)
	}
	set := flag.NewFlagSet("", flag.ContinueOnError)
	settings := new(config).settings(set)
	told := map[string]bool{}
	for _, s := range settings {
		told[s.Flag] = true
		if s.Help == "" || !strings.Contains(out.String(), "--"+s.Flag+"\n") || !strings.Contains(out.String(), s.Env) || s.Secret && !strings.Contains(out.String(), s.Env+"_FILE") {
			t.Errorf("--help does not tell %+v", s)
		}
	}
	set.VisitAll(func(f *flag.Flag) {
		if !told[f.Name] {
			t.Errorf("--%s has no environment variable", f.Name)
		}
	})
	if !strings.Contains(out.String(), "default: 127.0.0.1:8080") {
		t.Errorf("no defaults: %s", out.String())
	}
}

func TestTheLogShowsNoSecret(t *testing.T) {
	c := &config{stripe: settings.Stripe{StripeAccess: settings.StripeAccess{Key: "sk_live_1"}}, sessionKeys: oneKey}
	c.webhooks.stripe, c.webhooks.secrets = "whsec_1", []string{"whsec_1"}
	c.github.clientSecret = "s3cret"
	var text bytes.Buffer
	slog.New(slog.NewJSONHandler(&text, nil)).Info("starting", "settings", c)
	for _, secret := range []string{"sk_live_1", oneKey, "s3cret", "whsec_1"} {
		if strings.Contains(text.String(), secret) {
			t.Errorf("%s in %s", secret, text.String())
		}
	}
}

func TestPublicURL(t *testing.T) {
	tests := []struct{ setting, listening, want string }{
		{"", "127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"", "0.0.0.0:80", "http://localhost:80"},
		{"", "[::]:80", "http://localhost:80"},
		{"", "[::1]:80", "http://[::1]:80"},
		{"https://drydock.example.com/", "0.0.0.0:80", "https://drydock.example.com"},
	}
	for _, test := range tests {
		address, err := net.ResolveTCPAddr("tcp", test.listening)
		if err != nil {
			t.Fatal(err)
		}
		c := &config{publicURL: test.setting}
		if got, err := c.public(address); err != nil || got.String() != test.want {
			t.Errorf("%+v: %v %v", test, got, err)
		}
	}
}
