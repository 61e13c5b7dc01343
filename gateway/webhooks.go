package gateway

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"drydock.dev/drydock/fault"
)

// stripePath is where Stripe's webhook endpoint leads.
const stripePath = "/webhooks/stripe"

// webhookTime bounds the work on one delivery: Stripe waits about as long for an answer.
const webhookTime = 15 * time.Second

// StripeWebhook takes an event that Stripe delivers, with its Stripe-Signature header. An
// error that is fault.Forbidden or fault.BadUserInput refuses it for good, fault.NotFound
// says that webhooks are not set up here; after any other one Stripe is to send it again.
type StripeWebhook func(ctx context.Context, payload []byte, signature string) error

// serveStripe takes Stripe's deliveries. The signature proves them: there is no session,
// and who sends the request does not matter. Stripe repeats what is not answered by 2xx
// (https://docs.stripe.com/webhooks), and shows the words to the account's owner.
func (g *Gateway) serveStripe(w http.ResponseWriter, r *http.Request) {
	outcome, status, words := "refused", 0, ""
	body, refused := g.readBody(w, r, g.Limits.BodyBytes)
	var err error
	if refused != nil {
		status, words = refused.status, refused.words
	} else {
		ctx, cancel := context.WithTimeout(r.Context(), webhookTime)
		defer cancel()
		err = g.StripeWebhook(ctx, body, r.Header.Get("Stripe-Signature"))
		outcome, status = delivery(err)
		words = "ok"
	}
	g.answerWebhook(w, r, "stripe", outcome, status, words, err)
}

// answerWebhook tells the sender of a webhook in words how it ended, and counts it. An error
// is logged, and its public words are the answer.
func (g *Gateway) answerWebhook(w http.ResponseWriter, r *http.Request, source, outcome string, status int, words string, err error) {
	if err != nil {
		kind, record := fault.KindOf(err), recordOf(r.Context())
		record.code(string(kind))
		words = fault.PublicOf(err)
		g.Log.LogAttrs(r.Context(), slog.LevelWarn, source+"'s delivery is not taken", slog.String("requestId", record.requestID),
			slog.String("outcome", outcome), slog.String("error", err.Error()))
	}
	g.metrics.webhooks.WithLabelValues(source, outcome).Inc()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, words+"\n") // a sender that is gone needs no answer
}

// delivery is how a delivery ends: its outcome in the metrics, and its status.
func delivery(err error) (outcome string, status int) {
	if err == nil {
		return "taken", http.StatusOK
	}
	switch fault.KindOf(err) {
	case fault.Forbidden, fault.BadUserInput:
		return "refused", http.StatusBadRequest
	case fault.Unauthenticated:
		return "refused", http.StatusUnauthorized
	case fault.Conflict, fault.LimitExceeded:
		return "refused", http.StatusConflict
	case fault.NotFound:
		return "off", http.StatusNotFound
	default:
		return "again", http.StatusServiceUnavailable
	}
}
