package main

import (
	"context"
	"log/slog"
	"path/filepath"

	"drydock.dev/drydock/auth/authtest"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/cmd/devstack/registry"
)

// The stand-ins' credentials. They open nothing but the stand-ins.
const (
	stripeKey          = "sk_test_devstack"
	githubClientID     = "drydock-devstack"
	githubClientSecret = "drydock-devstack-secret"
	webhookSecret      = "whsec_devstack"
)

func startStripe(_ context.Context, s *stack) error {
	server, err := billingtest.New(billingtest.Options{
		StateFile: filepath.Join(s.dir, "stripe.json"), Key: stripeKey,
		Log: slog.New(slog.NewTextHandler(s.out.part("stripe"), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	s.onStop("stripe", func(context.Context) error { return server.Close() })
	address, err := s.serve("stripe", "127.0.0.1:12111", server)
	s.stripe, s.stripeURL = server, "http://"+address
	s.env.set("STRIPE_API_BASE", quote(s.stripeURL))
	s.env.set("STRIPE_SECRET_KEY", quote(stripeKey))
	return err
}

func startGitHub(_ context.Context, s *stack) error {
	github := authtest.New(authtest.Options{ClientID: githubClientID, ClientSecret: githubClientSecret})
	address, err := s.serve("github", "127.0.0.1:8082", github)
	s.githubURL = "http://" + address
	s.env.set("GITHUB_URL", quote(s.githubURL))
	s.env.set("GITHUB_CLIENT_ID", quote(githubClientID))
	s.env.set("GITHUB_CLIENT_SECRET", quote(githubClientSecret))
	return err
}

func startRegistry(_ context.Context, s *stack) error {
	kept, err := registry.Open(filepath.Join(s.dir, "registry"))
	if err != nil {
		return err
	}
	address, err := s.serve("registry", "127.0.0.1:5001", kept)
	s.env.set("REGISTRY_HOST", quote(address))
	s.env.set("SAMPLE_DESTINATION", quote(address+"/samples"))
	return err
}
