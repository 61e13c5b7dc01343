package main

import (
	"flag"
	"strings"

	"drydock.dev/drydock/settings"
)

// webhookConfig says by what others prove what they tell us of.
type webhookConfig struct {
	stripe string

	// secrets are what stripe holds; none: Stripe's webhooks are not taken.
	secrets []string
}

func (w *webhookConfig) bind(set *flag.FlagSet) []settings.Setting {
	set.StringVar(&w.stripe, "stripe-webhook-secrets", "", "")
	return []settings.Setting{
		{Flag: "stripe-webhook-secrets", Env: "STRIPE_WEBHOOK_SECRETS", Secret: true, Help: "signing secret of Stripe's webhook endpoint, which leads to /webhooks/stripe; two, separated by a comma, while it is rotated; default: no webhooks are taken"},
	}
}

func (w *webhookConfig) validate() error {
	if w.stripe == "" {
		return nil
	}
	for secret := range strings.SplitSeq(w.stripe, ",") {
		secret = strings.TrimSpace(secret)
		if !strings.HasPrefix(secret, "whsec_") || len(secret) <= len("whsec_") {
			return settings.Wrong("stripe-webhook-secrets", "holds one that is not a signing secret: those begin with whsec_")
		}
		w.secrets = append(w.secrets, secret)
	}
	if len(w.secrets) > 2 {
		return settings.Wrong("stripe-webhook-secrets", "holds %d secrets: give one, or two while it is rotated", len(w.secrets))
	}
	return nil
}
