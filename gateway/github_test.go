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
	"drydock.dev/drydock/push"
)

// TestGitHubWebhook: what GitHub delivers is handed on whole, whoever sends it; the answer
// tells the repository's owner in words what became of it.
func TestGitHubWebhook(t *testing.T) {
	for _, c := range []struct {
		reason  string
		answer  push.Answer
		err     error
		body    string
		method  string
		header  []string
		status  int
		says    string
		outcome string
	}{
		{reason: "a build is started", answer: push.Answer{Started: true, Words: "Build 7."}, body: "{}", status: 200, says: "Build 7.", outcome: "taken"},
		{reason: "no build is wanted", answer: push.Answer{Words: "Ignored: x."}, body: "{}", status: 200, says: "Ignored: x.", outcome: "ignored"},
		{reason: "a proxy that says it comes from a browser", body: "{}", header: []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, status: 200, outcome: "ignored"},
		{reason: "a token that is none", body: "{}", header: []string{"Authorization: Bearer nonsense"}, status: 200, outcome: "ignored"},
		{reason: "a signature that does not fit", err: fault.New(fault.Unauthenticated, "It does not fit."), body: "{}", status: 401, says: "does not fit", outcome: "refused"},
		{reason: "another repository", err: fault.New(fault.BadUserInput, "Another one."), body: "{}", status: 400, says: "Another one.", outcome: "refused"},
		{reason: "a plan without builds", err: fault.New(fault.LimitExceeded, "No builds."), body: "{}", status: 409, says: "No builds.", outcome: "refused"},
		{reason: "no keys", err: fault.New(fault.NotFound, "Not here."), body: "{}", status: 404, says: "Not here.", outcome: "off"},
		{reason: "too many builds wait", err: fault.New(fault.RateLimited, "Later."), body: "{}", status: 503, says: "Later.", outcome: "again"},
		{reason: "a defect of ours", err: errors.New("hidden"), body: "{}", status: 503, outcome: "again"},
		{reason: "more than other requests may have", body: strings.Repeat("x", 2<<20), status: 200, outcome: "ignored"},
		{reason: "too large a body", body: strings.Repeat("x", 25<<20+1), status: 413, says: "25 MiB", outcome: "refused"},
		{reason: "not by POST", method: http.MethodGet, status: 405},
	} {
		t.Run(c.reason, func(t *testing.T) {
			var got push.Delivery
			w := serve(t, func(o *gateway.Options) {
				o.GitHubWebhook = func(ctx context.Context, d push.Delivery) (push.Answer, error) {
					got = d
					if _, signedIn := auth.ViewerFrom(ctx); signedIn {
						t.Error("a webhook has a viewer")
					}
					if _, bounded := ctx.Deadline(); !bounded {
						t.Error("the work on a webhook has no deadline")
					}
					return c.answer, c.err
				}
			})
			method := http.MethodPost
			if c.method != "" {
				method = c.method
			}
			answer := w.send(t, method, "/webhooks/github/aW1hZ2U", c.body, append(c.header,
				"X-GitHub-Event: push", "X-GitHub-Delivery: d-1", "X-Hub-Signature-256: sha256=ab", "Content-Type: application/json")...)
			if answer.status != c.status || !strings.Contains(answer.body, c.says) || strings.Contains(answer.body, "hidden") {
				t.Errorf("%d %q, want %d %q", answer.status, answer.body, c.status, c.says)
			}
			if reads := c.status != 405 && c.status != 413; reads != (got.Image == "aW1hZ2U" && got.Event == "push" && got.ID == "d-1" &&
				got.Signature == "sha256=ab" && got.ContentType == "application/json" && string(got.Body) == c.body) {
				t.Errorf("handed on: %d bytes, %s %s %s", len(got.Body), got.Image, got.Event, got.ID)
			}
			metrics := w.send(t, http.MethodGet, "/metrics", "").body
			if line := fmt.Sprintf("drydock_webhooks_total{outcome=%q,source=\"github\"} 1\n", c.outcome); c.outcome != "" && !strings.Contains(metrics, line) {
				t.Errorf("not counted as %s", c.outcome)
			}
		})
	}
}
