package controller_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/signing"
	"drydock.dev/drydock/webhook"
)

// receiver is told of builds, and answers what it is told to answer; the last answer holds.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	answers []int
	got     []told
}

// told is one delivery as it came.
type told struct {
	id, event, signature string
	body                 []byte
}

func newReceiver(t *testing.T, answers ...int) *receiver {
	r := &receiver{answers: answers}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, told{request.Header.Get("Drydock-Delivery"), request.Header.Get("Drydock-Event"), request.Header.Get("Drydock-Signature"), body})
		w.WriteHeader(r.answers[min(len(r.got), len(r.answers))-1])
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) deliveries() []told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]told{}, r.got...)
}

func hookKeys(t *testing.T) *signing.Keys {
	t.Helper()
	keys, err := signing.Parse(hookKey)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// hookKey is no secret.
const hookKey = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="

// hooked is an image whose builds fail at once, and tell an address so.
func (w *world) hooked(name, url string) *v1alpha1.Image {
	return w.image(name, func(image *v1alpha1.Image) {
		image.Spec.Platforms = []string{"plan9/mips"}
		image.Spec.Webhook = &v1alpha1.ImageWebhook{URL: url, Nonce: "nonce"}
	})
}

// TestHooks: receivers are told of each build's end, again until they take it, and what
// became of it is in the build's status.
func TestHooks(t *testing.T) {
	w := newWorld(t)
	keys := hookKeys(t)
	w.run(func(o *controller.Options) {
		o.SigningKeys, o.WebhookRules = keys, webhook.Rules{Hosts: []string{"127.0.0.1"}}
		o.WebhookPauses, o.PublicURL = []time.Duration{time.Millisecond, time.Millisecond}, "https://drydock.example/"
	})
	cases := []struct {
		reason    string
		name      string
		receiver  *receiver
		url       string // the receiver's where empty
		attempts  int32
		status    int32
		delivered bool
		words     string
	}{
		{"taken at once", "once", newReceiver(t, 204), "", 1, 204, true, ""},
		{"taken after failures", "later", newReceiver(t, 500, 404, 200), "", 3, 200, true, ""},
		{"never taken", "never", newReceiver(t, 500), "", 3, 500, false, "The receiver answered 500."},
		{"at an address that nobody allows", "private", newReceiver(t, 200), "https://10.0.0.1/", 3, 0, false, "--private-webhooks"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := w.in(t)
			if c.url == "" {
				c.url = c.receiver.URL + "/hook?token=abc"
			}
			image := w.hooked(c.name, c.url)
			build := w.await(w.build(image, 7), "told", func(b *v1alpha1.Build) bool {
				return ended(b) && b.Status.Webhook != nil && b.Status.Webhook.NextTime == nil && b.Status.Billing != nil
			})
			got := build.Status.Webhook
			if got.Attempts != c.attempts || got.LastStatus != c.status || (got.DeliveredTime != nil) != c.delivered || !strings.Contains(got.Message, c.words) || c.delivered && got.Message != "" {
				t.Errorf("the status tells %+v", got)
			}
			for _, d := range c.receiver.deliveries() {
				checkTold(t, d, build, keys.Secret(signing.OutgoingWebhook, string(image.UID)+"/nonce"))
			}
			if n := len(c.receiver.deliveries()); c.status != 0 && n != int(c.attempts) {
				t.Errorf("it was told %d times, want %d", n, c.attempts)
			}
		})
	}
}

// checkTold holds a delivery to the build and to the secret.
func checkTold(t *testing.T, d told, build *v1alpha1.Build, secret string) {
	t.Helper()
	stamp, sum, _ := strings.Cut(strings.TrimPrefix(d.signature, "t="), ",v1=")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "." + string(d.body)))
	if hex.EncodeToString(mac.Sum(nil)) != sum {
		t.Errorf("the signature %q is wrong", d.signature)
	}
	var got struct {
		ID, Type, Account string
		Image             struct{ Name, Destination string }
		Build             struct {
			Number                             int64
			Phase, Reason, Message, Ref, URL   string
			QueuedAt, FinishedAt               time.Time
			References                         []string
			Commit, Digest, StartedAt, Trigger *string
		}
	}
	if err := json.Unmarshal(d.body, &got); err != nil {
		t.Fatalf("%v: %s", err, d.body)
	}
	if d.id != string(build.UID) || got.ID != d.id || d.event != "build.ended" || got.Type != d.event || got.Account != build.Spec.Account ||
		got.Image.Name != build.Spec.Image.Name || got.Build.Number != 7 || got.Build.Phase != "FAILED" || got.Build.Reason != v1alpha1.ReasonPlatformUnsupported ||
		got.Build.Message != build.Status.Message || !got.Build.FinishedAt.Equal(build.Status.CompletionTime.Time) || got.Build.References == nil ||
		!strings.HasPrefix(got.Build.URL, "https://drydock.example/builds/") {
		t.Errorf("it was told %s", d.body)
	}
}

// TestHooksAreNotForgotten: a controller that is killed between two attempts is followed
// by one that makes the next, of the same id; a webhook that is deleted meanwhile is not told.
func TestHooksAreNotForgotten(t *testing.T) {
	w := newWorld(t)
	stubborn, deleted := newReceiver(t, 503, 200), newReceiver(t, 503)
	binary := program(t, "../cmd/controller")
	flags := []string{"--signing-keys", hookKey, "--webhook-hosts", "127.0.0.1", "--leader-elect=false"}
	first := w.launchBinary(binary, flags...)
	kept, lost := w.hooked("kept", stubborn.URL), w.hooked("lost", deleted.URL)
	one, two := w.build(kept, 7), w.build(lost, 7)
	tried := func(b *v1alpha1.Build) bool { return b.Status.Webhook != nil && b.Status.Webhook.Attempts > 0 }
	w.await(one, "tried", tried)
	w.await(two, "tried", tried)
	first.kill()
	before := len(deleted.deliveries())
	if err := w.kube.Patch(t.Context(), lost, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"webhook":null}}`))); err != nil {
		t.Fatal(err)
	}
	w.launchBinary(binary, flags...)
	delivery := w.await(one, "told", func(b *v1alpha1.Build) bool { return b.Status.Webhook.DeliveredTime != nil }).Status.Webhook
	if got := stubborn.deliveries(); delivery.Attempts < 2 || len(got) < 2 || got[0].id != got[len(got)-1].id {
		t.Errorf("it was told %+v, the status tells %+v", got, delivery)
	}
	w.await(two, "let go", func(b *v1alpha1.Build) bool { return b.Status.Webhook.NextTime == nil })
	if got := len(deleted.deliveries()); got != before {
		t.Errorf("the webhook was told %d times, and %d times since it was deleted", before, got-before)
	}
}
