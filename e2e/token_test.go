package e2e

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"drydock.dev/drydock/e2e/client"
	"drydock.dev/drydock/e2e/stack"
)

// bearer sends requests by an access token.
type bearer string

// RoundTrip adds the token.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// TestRevocationReachesEveryReplica ends access tokens at one replica, and holds that no replica takes
// them any more and none keeps a stream of theirs; it tells how long that took. No webhook and no look at Stripe's events helps.
func TestRevocationReachesEveryReplica(t *testing.T) {
	const quiet, rounds = "--catch-up-every=1h", 10
	replicas := []*stack.Gateway{gateway(t, quiet), gateway(t, quiet), gateway(t, quiet)}
	ada := signIn(t, replicas[0].URL, "ada")
	viewer := client.Request{Query: `{ viewer { login } }`}
	var slowest time.Duration
	for range rounds {
		var made struct{ CreateAccessToken struct{ Token string } }
		ctx := within(t, patience)
		if err := ada.Do(ctx, client.Request{Query: `mutation { createAccessToken(input: {name: "ci"}) { token } }`}, &made); err != nil {
			t.Fatal(err)
		}
		script := &client.Client{HTTP: &http.Client{Transport: bearer(made.CreateAccessToken.Token)}}
		var streams []client.Stream
		for _, replica := range replicas {
			stream, err := script.At(replica.URL).WebSocket(ctx, client.Request{Query: `subscription { viewerChanged { login } }`})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = stream.Close() })
			var first struct{ ViewerChanged struct{ Login string } }
			if err := stream.Next(&first); err != nil || first.ViewerChanged.Login != ada.login {
				t.Fatalf("%+v %v", first, err)
			}
			streams = append(streams, stream)
		}

		began := time.Now()
		if err := ada.Do(ctx, client.Request{Query: `mutation { revokeAccessTokens(input: {}) { clientMutationID } }`}, nil); err != nil {
			t.Fatal(err)
		}
		for i, stream := range streams {
			var err error
			for err == nil { // changes of the account may come first
				err = stream.Next(new(struct{}))
			}
			if code := websocket.CloseStatus(err); code != 4403 {
				t.Errorf("replica %d ends its stream by %d: %v", i, code, err)
			}
		}
		slowest = max(slowest, time.Since(began))
		for i, replica := range replicas {
			err := script.At(replica.URL).Do(ctx, viewer, nil)
			var refused client.Errors
			if !errors.As(err, &refused) || refused[0].Extensions.Code != "UNAUTHENTICATED" {
				t.Errorf("replica %d: %v, want UNAUTHENTICATED", i, err)
			}
		}
	}
	t.Logf("the slowest of %d revocations reached %d replicas in %s", rounds, len(replicas), slowest)
}
