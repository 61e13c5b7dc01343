package gateway

import (
	"context"
	"net/http"
	"time"

	"drydock.dev/drydock/push"
)

// GitHubPath is where images' webhooks at GitHub lead, as GitHubPath/{image}.
const GitHubPath = "/webhooks/github"

const (
	// githubTime bounds the work on one delivery: GitHub waits 10 s for an answer.
	githubTime = 9 * time.Second
	// githubBody is the largest delivery, in bytes
	// (https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap).
	githubBody = 25 << 20
	// largeBodies is how much memory, in bytes, those who send more than anybody else may
	// take up together before they are known.
	largeBodies = 2 * githubBody
)

// GitHubWebhook takes a delivery; see push.Receiver.
type GitHubWebhook func(ctx context.Context, delivery push.Delivery) (push.Answer, error)

// serveGitHub takes GitHub's deliveries. The signature proves them: there is no session.
// GitHub repeats none by itself, and shows the words to the repository's owner
// (https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries).
func (g *Gateway) serveGitHub(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), githubTime)
	defer cancel()
	if size := r.ContentLength; size < 0 || size > g.Limits.BodyBytes {
		if g.large.Acquire(ctx, githubBody) != nil {
			g.answerWebhook(w, r, "github", "again", http.StatusServiceUnavailable, "Too many large deliveries just now: send this again.", nil)
			return
		}
		defer g.large.Release(githubBody)
	}
	body, refused := g.readBody(w, r, githubBody)
	if refused != nil {
		g.answerWebhook(w, r, "github", "refused", refused.status, refused.words, nil)
		return
	}
	header := r.Header
	answer, err := g.GitHubWebhook(ctx, push.Delivery{
		Image: r.PathValue("image"), Event: header.Get("X-GitHub-Event"), ID: header.Get("X-GitHub-Delivery"),
		Signature: header.Get("X-Hub-Signature-256"), ContentType: header.Get("Content-Type"), Body: body,
	})
	outcome, status := delivery(err)
	if err == nil && !answer.Started {
		outcome = "ignored"
	}
	g.answerWebhook(w, r, "github", outcome, status, answer.Words, err)
}
