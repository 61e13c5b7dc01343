package stack

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"drydock.dev/drydock/api/v1alpha1"
)

// ServiceAccounts are those of deploy/: whatever a stack's gateways and controllers ask of Kubernetes, they ask as these.
const (
	GatewayAccount    = "drydock-gateway"
	ControllerAccount = "drydock-controller"
)

// tokenSeconds is how long the service accounts' tokens hold: longer than any stack.
const tokenSeconds = 24 * 60 * 60

// accounts writes a kubeconfig for each service account.
func (s *Stack) accounts(ctx context.Context) (err error) {
	for account, file := range map[string]*string{GatewayAccount: &s.gatewayKubeconfig, ControllerAccount: &s.controllerKubeconfig} {
		if *file, err = s.actAs(ctx, account); err != nil {
			return err
		}
	}
	return nil
}

// actAs writes a kubeconfig with a token of a service account, and returns its path.
// https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
func (s *Stack) actAs(ctx context.Context, account string) (string, error) {
	kube, err := s.Kubernetes()
	if err != nil {
		return "", err
	}
	request, err := json.Marshal(map[string]any{"spec": map[string]any{"expirationSeconds": tokenSeconds}})
	if err != nil {
		return "", err
	}
	var answer struct{ Status struct{ Token string } }
	path := "/api/v1/namespaces/" + v1alpha1.SystemNamespace + "/serviceaccounts/" + account + "/token"
	if err := kube.call(ctx, http.MethodPost, path, "application/json", request, &answer); err != nil {
		return "", err
	}
	text, err := os.ReadFile(s.Kubeconfig)
	if err != nil {
		return "", err
	}
	var config map[string]any
	if err := yaml.Unmarshal(text, &config); err != nil {
		return "", err
	}
	for _, user := range config["users"].([]any) {
		user.(map[string]any)["user"] = map[string]any{"token": answer.Status.Token}
	}
	if text, err = yaml.Marshal(config); err != nil {
		return "", err
	}
	file := filepath.Join(s.Dir, account+".kubeconfig")
	return file, os.WriteFile(file, text, 0o600)
}
