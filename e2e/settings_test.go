package e2e

import (
	"io"
	"slices"
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/stack"
)

// settingCase is a start that must fail: one line that names the setting, exit code 2.
type settingCase struct {
	reason string
	flags  []string
	env    []string // replaces those of the same name; NAME alone removes it
	names  string   // what the line has to name
}

// TestGatewaySettings holds that an operator learns at once which setting is wrong.
func TestGatewaySettings(t *testing.T) {
	for _, c := range []settingCase{
		{"no Stripe key", nil, []string{"STRIPE_SECRET_KEY"}, "STRIPE_SECRET_KEY"},
		{"a publishable key cannot do anything", nil, []string{"STRIPE_SECRET_KEY=pk_test_123"}, "STRIPE_SECRET_KEY"},
		{"a base without a scheme", nil, []string{"STRIPE_API_BASE=localhost:1"}, "STRIPE_API_BASE"},
		{"no session keys", []string{"--dev=false"}, []string{"DRYDOCK_SESSION_KEYS"}, "DRYDOCK_SESSION_KEYS"},
		{"a short session key is a weak one", nil, []string{"DRYDOCK_SESSION_KEYS=c2hvcnQ="}, "DRYDOCK_SESSION_KEYS"},
		{"a session key that is not base64", nil, []string{"DRYDOCK_SESSION_KEYS=!!!"}, "DRYDOCK_SESSION_KEYS"},
		{"a short signing key", nil, []string{"DRYDOCK_SIGNING_KEYS=c2hvcnQ="}, "DRYDOCK_SIGNING_KEYS"},
		{"an OAuth app without a secret", nil, []string{"GITHUB_CLIENT_SECRET"}, "GITHUB_CLIENT_SECRET"},
		{"no port to listen on", []string{"--listen", "nowhere"}, nil, "listen"},
		{"a public URL without a scheme", []string{"--public-url", "drydock.example"}, nil, "public-url"},
		{"a kubeconfig that is not there", []string{"--kubeconfig", "/nonexistent/kubeconfig"}, nil, "kubeconfig"},
		{"a secret's file that is not there", nil, []string{"STRIPE_SECRET_KEY", "STRIPE_SECRET_KEY_FILE=/nonexistent/key"}, "STRIPE_SECRET_KEY_FILE"},
		{"a flag that there is not", []string{"--lisen", ":1"}, nil, "lisen"},
		{"a word too many", []string{"serve"}, nil, "serve"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			flags := append([]string{"--listen", "127.0.0.1:0", "--public-url", "http://127.0.0.1", "--dev"}, c.flags...)
			c.check(t, house.Binaries.Drydock, flags, house.GatewayEnvironment())
		})
	}
}

// TestControllerSettings is the same for the controller.
func TestControllerSettings(t *testing.T) {
	for _, c := range []settingCase{
		{"no Stripe key", nil, []string{"STRIPE_SECRET_KEY"}, "STRIPE_SECRET_KEY"},
		{"a publishable key cannot do anything", nil, []string{"STRIPE_SECRET_KEY=pk_test_123"}, "STRIPE_SECRET_KEY"},
		{"a base without a scheme", nil, []string{"STRIPE_API_BASE=localhost:1"}, "STRIPE_API_BASE"},
		{"a kubeconfig that is not there", []string{"--kubeconfig", "/nonexistent/kubeconfig"}, nil, "kubeconfig"},
		{"a short signing key", nil, []string{"DRYDOCK_SIGNING_KEYS=c2hvcnQ="}, "DRYDOCK_SIGNING_KEYS"},
		{"a flag that there is not", []string{"--stratgy", "x"}, nil, "stratgy"},
		{"a word too many", []string{"run"}, nil, "run"},
	} {
		t.Run(c.reason, func(t *testing.T) { c.check(t, house.Binaries.Controller, c.flags, house.ControllerEnvironment()) })
	}
}

func (c settingCase) check(t *testing.T, binary string, flags, env []string) {
	t.Helper()
	for _, setting := range c.env {
		name, _, given := strings.Cut(setting, "=")
		env = slices.DeleteFunc(env, func(each string) bool { return strings.HasPrefix(each, name+"=") })
		if given {
			env = append(env, setting)
		}
	}
	process, err := stack.Run("wrong", binary, flags, env, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	code, err := process.Wait(within(t, patience))
	if err != nil {
		t.Fatal(err)
	}
	output := strings.TrimSpace(process.Output())
	if code != 2 || strings.Contains(output, "\n") || !strings.Contains(strings.ToLower(output), strings.ToLower(c.names)) {
		t.Errorf("exit code %d, want 2 and one line that names %s:\n%s", code, c.names, output)
	}
}

// TestHelp holds that --help tells every setting, and is no failure.
func TestHelp(t *testing.T) {
	common := []string{"--kubeconfig", "KUBECONFIG", "--stripe-key", "STRIPE_SECRET_KEY", "--stripe-api-base", "STRIPE_API_BASE"}
	for binary, settings := range map[string][]string{
		house.Binaries.Controller: common,
		house.Binaries.Drydock: append(common, "--listen", "DRYDOCK_LISTEN", "--public-url", "DRYDOCK_PUBLIC_URL", "--github-url", "GITHUB_URL",
			"--github-client-id", "GITHUB_CLIENT_ID", "--github-client-secret", "GITHUB_CLIENT_SECRET",
			"--session-keys", "DRYDOCK_SESSION_KEYS", "--dev", "DRYDOCK_DEV"),
	} {
		process, err := stack.Run("help", binary, []string{"--help"}, nil, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if code, err := process.Wait(within(t, patience)); code != 0 || err != nil {
			t.Errorf("%s --help: exit code %d (%v)", binary, code, err)
		}
		for _, setting := range settings {
			if !strings.Contains(process.Output(), setting) {
				t.Errorf("%s --help does not tell %s", binary, setting)
			}
		}
	}
}
