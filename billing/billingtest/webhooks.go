package billingtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Webhook is an endpoint that events are sent to.
type Webhook struct {
	URL string `json:"url"`
	// Secret signs what is sent: whsec_...
	Secret string `json:"secret"`
	// Retiring is the secret that Secret takes the place of. While it is set both sign,
	// as while a secret is rolled at Stripe.
	Retiring string `json:"retiring"`
	// Types are the events wanted, such as customer.updated or product.*; empty: all.
	Types []string `json:"types"`
}

// How webhooks are sent. Stripe tries for three days, with longer and longer pauses
// (https://docs.stripe.com/webhooks#retries); its first pause is longer than ours.
const (
	webhookTimeout  = 10 * time.Second
	webhookPause    = 100 * time.Millisecond
	webhookMaxPause = 15 * time.Second
	webhooksAtOnce  = 16
)

// outbox sends events to the webhooks, in no order that a receiver may rely on. It goes
// by real time, whatever the stand-in's clock says: receivers look at a signature's age.
type outbox struct {
	client    *http.Client
	log       *slog.Logger
	delivered func(event string)
	slots     chan struct{}
	life      context.Context
	end       context.CancelFunc
	running   sync.WaitGroup

	mu        sync.Mutex
	endpoints map[string]Webhook
	faults    []*WebhookFault
	behind    []*delivery
}

// delivery is an event on its way to one endpoint.
type delivery struct {
	event, kind, url string
	body             []byte
	// after is how many other events go first.
	after int
}

func newOutbox(options Options, delivered func(string)) *outbox {
	connection := http.DefaultTransport.(*http.Transport).Clone()
	o := &outbox{
		client: &http.Client{Transport: connection, Timeout: webhookTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
		log: options.Log, delivered: delivered, slots: make(chan struct{}, webhooksAtOnce), endpoints: map[string]Webhook{},
	}
	o.life, o.end = context.WithCancel(context.Background())
	for _, webhook := range options.Webhooks {
		o.endpoints[webhook.URL] = webhook
	}
	return o
}

func (o *outbox) close() {
	o.mu.Lock()
	o.end()
	o.mu.Unlock()
	o.running.Wait()
	o.client.CloseIdleConnections()
}

// AddWebhook registers an endpoint, or replaces the one with the same URL.
func (s *Server) AddWebhook(webhook Webhook) {
	s.webhooks.mu.Lock()
	defer s.webhooks.mu.Unlock()
	s.webhooks.endpoints[webhook.URL] = webhook
}

// RemoveWebhook ends deliveries to an endpoint, also those that are tried again; an
// empty URL ends all.
func (s *Server) RemoveWebhook(url string) {
	s.webhooks.mu.Lock()
	defer s.webhooks.mu.Unlock()
	delete(s.webhooks.endpoints, url)
	if url == "" {
		clear(s.webhooks.endpoints)
	}
}

// count is how many endpoints want an event of a type.
func (o *outbox) count(kind string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	wanting := 0
	for _, endpoint := range o.endpoints {
		if ofType(kind, endpoint.Types) {
			wanting++
		}
	}
	return wanting
}

// put sends an event to all who want it, without waiting.
func (o *outbox) put(event object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	kind := text(event, "type")
	var body []byte
	for url, endpoint := range o.endpoints {
		if !ofType(kind, endpoint.Types) {
			continue
		}
		if body == nil {
			body, _ = json.MarshalIndent(event, "", "  ")
		}
		o.misbehave(&delivery{event: text(event, "id"), kind: kind, url: url, body: body})
	}
}

// send delivers until the endpoint answers 2xx, is removed, or the stand-in closes; the
// caller holds the lock.
func (o *outbox) send(d *delivery, delay time.Duration) {
	if o.life.Err() != nil {
		return
	}
	o.running.Go(func() {
		for pause := webhookPause; ; pause = min(2*pause, webhookMaxPause) {
			select {
			case <-time.After(delay):
			case <-o.life.Done():
				return
			}
			o.mu.Lock()
			endpoint, ok := o.endpoints[d.url]
			o.mu.Unlock()
			if !ok {
				return
			}
			if err := o.try(endpoint, d); err == nil {
				o.delivered(d.event)
				o.release(d)
				return
			} else if o.life.Err() == nil {
				o.log.Info("a webhook was not taken", "event", d.event, "type", d.kind, "error", err, "again", pause)
			}
			delay = pause
		}
	})
}

func (o *outbox) try(endpoint Webhook, d *delivery) error {
	select {
	case o.slots <- struct{}{}:
		defer func() { <-o.slots }()
	case <-o.life.Done():
		return o.life.Err()
	}
	request, err := http.NewRequestWithContext(o.life, http.MethodPost, endpoint.URL, bytes.NewReader(d.body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	request.Header.Set("Stripe-Signature", Sign(d.body, time.Now(), endpoint.Secret, endpoint.Retiring))
	response, err := o.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("answered %s", response.Status)
	}
	return nil
}

// Sign is a Stripe-Signature header of one or several secrets; empty ones are left out
// (https://docs.stripe.com/webhooks#verify-manually).
func Sign(body []byte, at time.Time, secrets ...string) string {
	header := fmt.Sprintf("t=%d", at.Unix())
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		_, _ = fmt.Fprintf(mac, "%d.", at.Unix())
		mac.Write(body)
		header += ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	return header
}

// deliveredEvent notes that one endpoint less waits for an event.
func (s *Server) deliveredEvent(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if event, ok := s.state.Events.get(id); ok {
		event["pending_webhooks"], s.dirty = max(0, number(event, "pending_webhooks")-1), true
	}
}
