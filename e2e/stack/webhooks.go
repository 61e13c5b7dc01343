package stack

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"drydock.dev/drydock/billing/billingtest"
)

// webhookSecret signs what the stand-in tells gateways.
const webhookSecret = "whsec_e2e"

// Tell makes the stand-in send its events to a gateway, to it alone, until Untell.
func (s *Stripe) Tell(g *Gateway) {
	s.Untell()
	s.stand.AddWebhook(billingtest.Webhook{URL: g.URL + "/webhooks/stripe", Secret: webhookSecret})
}

// Untell makes the stand-in send its events to nobody.
func (s *Stripe) Untell() { s.stand.RemoveWebhook("") }

// Told is nil when no webhook is on its way.
func (s *Stripe) Told(ctx context.Context) error {
	var page struct {
		Data []struct {
			Type    string
			Pending int `json:"pending_webhooks"`
		}
	}
	if err := s.Call(ctx, http.MethodGet, "/v1/events", url.Values{"limit": {"100"}}, &page); err != nil {
		return err
	}
	for _, event := range page.Data {
		if event.Pending > 0 {
			return fmt.Errorf("a webhook of %s is on its way", event.Type)
		}
	}
	return nil
}

// Down makes Stripe unreachable for Drydock: connections end without an answer. What tests ask by Call is answered,
// and webhooks go out.
func (s *Stripe) Down() { s.stand.Inject(billingtest.Fault{DropBefore: true, Times: -1}) }

// Up ends Down.
func (s *Stripe) Up() { s.stand.ClearFaults() }
