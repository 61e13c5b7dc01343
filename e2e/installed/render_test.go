package installed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"drydock.dev/drydock/deploy"
	"drydock.dev/drydock/e2e/stack"
)

const (
	root      = "../.."
	namespace = "drydock-system"
	// kubeVersion is the version that charts are rendered for.
	kubeVersion = "v1.36.3"
)

// buildTools builds helm, kustomize and kubeconform into bin/, and returns its path.
func buildTools(ctx context.Context) (string, error) {
	bin, err := filepath.Abs(filepath.Join(root, "bin"))
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(root, "tools", "deploy"), "-o", bin+"/",
		"helm.sh/helm/v3/cmd/helm", "sigs.k8s.io/kustomize/kustomize/v5", "github.com/yannh/kubeconform/cmd/kubeconform")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", command, err, text)
	}
	return bin, nil
}

// tool runs one of the tools and gives what it printed.
func tool(name string, args ...string) ([]byte, error) {
	command := exec.CommandContext(context.Background(), filepath.Join(bin, name), args...)
	var problems strings.Builder
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		return out, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, problems.String())
	}
	return out, nil
}

// kustomize renders a kustomization.
func kustomize(dir string) ([]byte, error) { return tool("kustomize", "build", dir) }

// helm renders the chart, with more options.
func helm(options ...string) ([]byte, error) {
	return tool("helm", append([]string{"template", "drydock", filepath.Join(root, "deploy", "helm", "drydock"),
		"--namespace", namespace, "--kube-version", kubeVersion}, options...)...)
}

// overlay renders what an operator of the stack would install, who patches a base: containers of kubestack are processes of
// this machine, so they have a command, and ports of their own.
func overlay(s *stack.Stack, base string) ([][]byte, error) {
	dir := filepath.Join(s.Dir, "overlay")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	link, err := filepath.Abs(base)
	if err == nil {
		link, err = filepath.Rel(dir, link)
	}
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	for _, setting := range s.GatewayEnvironment() {
		name, value, _ := strings.Cut(setting, "=")
		settings[name] = value
	}
	text := fmt.Sprintf(`
resources: [%s]
namespace: %s
generatorOptions: {disableNameSuffixHash: true}
secretGenerator:
  - {name: drydock-stripe, literals: ["secret-key=%s", "webhook-secrets=%s"]}
  - {name: drydock-gateway, literals: ["session-keys=%s", "github-client-id=%s", "github-client-secret=%s"]}
  - {name: drydock-signing, literals: ["signing-keys=%s"]}
patches:
`, link, namespace, settings["STRIPE_SECRET_KEY"], settings["STRIPE_WEBHOOK_SECRETS"],
		settings["DRYDOCK_SESSION_KEYS"], settings["GITHUB_CLIENT_ID"], settings["GITHUB_CLIENT_SECRET"], settings["DRYDOCK_SIGNING_KEYS"])
	// An empty public URL is made of the address that is listened on.
	text += patch("drydock-gateway", s.Binaries.Drydock, "--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0", "--public-url=", "--dev",
		"--stripe-api-base="+settings["STRIPE_API_BASE"], "--github-url="+settings["GITHUB_URL"])
	text += patch("drydock-controller", s.Binaries.Controller, "--metrics-listen=127.0.0.1:0", "--strategy=buildah",
		"--stripe-api-base="+settings["STRIPE_API_BASE"])
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	rendered, err := kustomize(dir)
	buildah, reading := deploy.Files.ReadFile("strategies/buildah.yaml")
	return [][]byte{rendered, buildah}, errors.Join(err, reading)
}

// patch gives two replicas of a Deployment a command and more arguments.
func patch(deployment, binary string, args ...string) string {
	var text bytes.Buffer
	fmt.Fprintf(&text, "  - target: {kind: Deployment, name: %s}\n    patch: |-\n", deployment)
	fmt.Fprintf(&text, "      - {op: add, path: /spec/replicas, value: 2}\n")
	fmt.Fprintf(&text, "      - {op: add, path: /spec/template/spec/containers/0/command, value: [%q]}\n", binary)
	for _, arg := range args {
		fmt.Fprintf(&text, "      - {op: add, path: /spec/template/spec/containers/0/args/-, value: %q}\n", arg)
	}
	return text.String()
}
