package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/gateway"
)

// TestStripeWebhook: what Stripe delivers is handed on whole with its signature, whoever
// sends it; the answer says whether it is to come again.
func TestStripeWebhook(t *testing.T) {
	const event = `{"id":"evt_1"}`
	for _, c := range []struct {
		reason  string
		err     error
		body    string
		method  string
		header  []string
		status  int
		says    string
		outcome string
		// reads tells that the webhook is to see the body.
		reads bool
	}{
		{reason: "taken", body: event, status: 200, says: "ok", outcome: "taken", reads: true},
		{reason: "a proxy that says it comes from a browser", body: event, header: []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, status: 200, says: "ok", outcome: "taken", reads: true},
		{reason: "a cookie that is none", body: event, header: []string{"Cookie: drydock=nonsense"}, status: 200, says: "ok", outcome: "taken", reads: true},
		{reason: "a token that is none", body: event, header: []string{"Authorization: Bearer nonsense"}, status: 200, says: "ok", outcome: "taken", reads: true},
		{reason: "a signature that does not fit", err: fault.New(fault.Forbidden, "The signature does not fit."), body: event, status: 400, says: "does not fit", outcome: "refused", reads: true},
		{reason: "no event", err: fault.New(fault.BadUserInput, "No event."), body: "x", status: 400, says: "No event.", outcome: "refused", reads: true},
		{reason: "no secret", err: fault.New(fault.NotFound, "No secret."), body: event, status: 404, says: "No secret.", outcome: "off", reads: true},
		{reason: "the other replicas are not told", err: fault.Wrap(fault.Unavailable, errors.New("no way")), body: event, status: 503, outcome: "again", reads: true},
		{reason: "a defect of ours", err: errors.New("hidden"), body: event, status: 503, outcome: "again", reads: true},
		{reason: "the largest body", body: strings.Repeat("x", 1<<20), status: 200, says: "ok", outcome: "taken", reads: true},
		{reason: "too large a body", body: strings.Repeat("x", 1<<20+1), status: 413, says: "1 MiB", outcome: "refused"},
		{reason: "not by POST", method: http.MethodGet, status: 405},
	} {
		t.Run(c.reason, func(t *testing.T) {
			var body, signature string
			w := serve(t, func(o *gateway.Options) {
				o.StripeWebhook = func(ctx context.Context, payload []byte, header string) error {
					body, signature = string(payload), header
					if _, signedIn := auth.ViewerFrom(ctx); signedIn {
						t.Error("a webhook has a viewer")
					}
					if _, bounded := ctx.Deadline(); !bounded {
						t.Error("the work on a webhook has no deadline")
					}
					return c.err
				}
			})
			method := http.MethodPost
			if c.method != "" {
				method = c.method
			}
			got := w.send(t, method, "/webhooks/stripe", c.body, append(c.header, "Stripe-Signature: t=1,v1=ab")...)
			if got.status != c.status || !strings.Contains(got.body, c.says) || strings.Contains(got.body, "hidden") {
				t.Errorf("%d %q, want %d %q", got.status, got.body, c.status, c.says)
			}
			if c.reads && (body != c.body || signature != "t=1,v1=ab") || !c.reads && body != "" {
				t.Errorf("%d bytes were handed on with the signature %q", len(body), signature)
			}
			metrics := w.send(t, http.MethodGet, "/metrics", "").body
			if line := fmt.Sprintf("drydock_webhooks_total{outcome=%q,source=\"stripe\"} 1\n", c.outcome); c.outcome != "" && !strings.Contains(metrics, line) {
				t.Errorf("not counted as %s", c.outcome)
			}
			if logged := w.log.lines(t, "stripe's delivery is not taken"); (len(logged) == 1) != (c.err != nil) {
				t.Errorf("logged: %v", logged)
			}
		})
	}
}
