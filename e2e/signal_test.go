package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/client"
)

// TestSignals: a build's end is seen on the badge by everybody, and by the image's webhook,
// signed with the secret that was shown once.
func TestSignals(t *testing.T) {
	g := gateway(t)
	controller(t, "--webhook-hosts", "127.0.0.1", "--public-url", g.URL)
	deliveries := make(chan delivery, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			deliveries <- delivery{r.Header.Get("Drydock-Signature"), body}
		}
	}))
	t.Cleanup(receiver.Close)

	gate := newGate(t, "signals")
	ada := signIn(t, g.URL, "ada")
	image := ada.createImage("signals", gate.Repository, gate.Argument)
	var set struct{ SetWebhook struct{ Secret string } }
	ada.do(`mutation($in: SetWebhookInput!) { setWebhook(input: $in) { secret } }`, map[string]any{"in": map[string]any{"image": image, "url": receiver.URL}}, &set)
	private := g.URL + "/badge/" + ada.login + "/signals.svg"
	ada.checkBadge(private, http.StatusNotFound, "unknown")
	var made struct {
		UpdateImage struct{ Image struct{ BadgeURL string } }
	}
	ada.do(`mutation($id: ID!) { updateImage(input: {id: $id, public: true}) { image { badgeURL } } }`, map[string]any{"id": image}, &made)
	badge := made.UpdateImage.Image.BadgeURL
	if badge != private {
		t.Errorf("the badge is at %s, want %s", badge, private)
	}
	ada.checkBadge(badge, http.StatusOK, "unknown")
	started := ada.startBuild(image)
	ada.checkBadge(badge, http.StatusOK, "building")
	gate.open()
	eventually(t, func() error {
		if phase := ada.phase(started.ID); phase != "SUCCEEDED" {
			return fmt.Errorf("the build is %s", phase)
		}
		return nil
	})
	ada.checkBadge(badge, http.StatusOK, "passing")
	ada.checkDelivered(started.ID, deliveries, set.SetWebhook.Secret, g.URL)
}

// delivery is what a webhook was sent.
type delivery struct {
	signature string
	body      []byte
}

// checkBadge holds what everybody sees, signed out.
func (a *actor) checkBadge(url string, status int, state string) {
	a.t.Helper()
	origin, path, _ := strings.Cut(url, "/badge/")
	path = "/badge/" + path
	response, err := client.New(origin).Send(within(a.t, patience), http.MethodGet, path, "", nil)
	if err != nil {
		a.t.Fatal(err)
	}
	if response.Status != status || !strings.Contains(string(response.Body), "<title>build: "+state+"</title>") {
		a.t.Errorf("%s: %d, %s; want %d, %s", url, response.Status, response.Body, status, state)
	}
}

// checkDelivered holds the delivery to the build, and what GraphQL says of it.
func (a *actor) checkDelivered(build string, deliveries <-chan delivery, secret, public string) {
	a.t.Helper()
	var got delivery
	select {
	case got = <-deliveries:
	case <-within(a.t, patience).Done():
		a.t.Fatal(context.DeadlineExceeded)
	}
	stamp, sum, _ := strings.Cut(strings.TrimPrefix(got.signature, "t="), ",v1=")
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(mac, "%s.%s", stamp, got.body) // a hash takes everything
	if hex.EncodeToString(mac.Sum(nil)) != sum {
		a.t.Errorf("the signature %q is not by the secret", got.signature)
	}
	var told struct {
		Type  string
		Build struct{ ID, Phase, Digest, URL string }
	}
	if err := json.Unmarshal(got.body, &told); err != nil {
		a.t.Fatal(err)
	}
	if told.Type != "build.ended" || told.Build.ID != build || told.Build.Phase != "SUCCEEDED" || told.Build.Digest == "" || !strings.HasPrefix(told.Build.URL, public+"/builds/") {
		a.t.Errorf("it was told %s", got.body)
	}
	eventually(a.t, func() error {
		var data struct {
			Build struct {
				WebhookDelivery struct {
					Attempts, LastStatus int
					DeliveredAt          *time.Time
				}
			}
		}
		a.do(`query($id: ID!) { build(id: $id) { webhookDelivery { attempts lastStatus deliveredAt } } }`, map[string]any{"id": build}, &data)
		if d := data.Build.WebhookDelivery; d.Attempts != 1 || d.LastStatus != http.StatusOK || d.DeliveredAt == nil {
			return fmt.Errorf("GraphQL says %+v", d)
		}
		return nil
	})
}
