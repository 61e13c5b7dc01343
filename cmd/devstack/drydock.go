package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/signing"
)

// startController starts the controller with the strategy for nodes whose containers
// are processes of this machine.
func startController(ctx context.Context, s *stack) error {
	address, err := s.ports.address("controller", "127.0.0.1:8083")
	if err != nil {
		return err
	}
	page, err := s.ports.address("gateway", s.listen)
	if err != nil {
		return err
	}
	env, err := s.drydockEnv()
	if err != nil {
		return err
	}
	ended, err := s.process("controller", s.out.part("controller"), env, filepath.Join(s.bin, "controller"),
		"--strategy", "buildah", "--metrics-listen", address, "--webhook-hosts", "localhost,127.0.0.1", "--insecure-registries", "localhost,127.0.0.1", "--public-url", "http://"+page)
	if err != nil {
		return err
	}
	return ready(ctx, "http://"+address+"/readyz", ended)
}

func startGateway(ctx context.Context, s *stack) error {
	address, err := s.ports.address("gateway", s.listen)
	if err != nil {
		return err
	}
	keys, err := keptKey(filepath.Join(s.dir, "session.key"))
	if err != nil {
		return err
	}
	url := "http://" + address
	env, err := s.drydockEnv()
	if err != nil {
		return err
	}
	ended, err := s.process("gateway", s.out.part("gateway"), append(env, "DRYDOCK_SESSION_KEYS="+keys, "STRIPE_WEBHOOK_SECRETS="+webhookSecret), filepath.Join(s.bin, "drydock"),
		"--listen", address, "--public-url", url, "--dev", "--log-format", "text", "--github-url", s.githubURL)
	if err != nil {
		return err
	}
	if err := ready(ctx, url+"/readyz", ended); err != nil {
		return err
	}
	if s.stripe != nil {
		s.stripe.AddWebhook(billingtest.Webhook{URL: url + "/webhooks/stripe", Secret: webhookSecret})
	}
	s.gatewayURL = url
	s.env.set("DRYDOCK_URL", quote(url))
	return nil
}

// drydockEnv holds the settings of both.
func (s *stack) drydockEnv() ([]string, error) {
	keys, err := keptKey(filepath.Join(s.dir, "signing.key"))
	return append(os.Environ(),
		"KUBECONFIG="+s.kubeconfig, "STRIPE_SECRET_KEY="+stripeKey, "STRIPE_API_BASE="+s.stripeURL,
		"GITHUB_CLIENT_ID="+githubClientID, "GITHUB_CLIENT_SECRET="+githubClientSecret, "DRYDOCK_SIGNING_KEYS="+keys), err
}

// keptKey reads a key, or makes one: who signed in yesterday is signed in today, and
// webhooks' secrets hold.
func keptKey(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return string(text), err
	}
	key := signing.Generate()
	return key, os.WriteFile(file, []byte(key), 0o600)
}
