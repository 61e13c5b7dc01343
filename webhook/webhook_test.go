package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/webhook"
)

// TestCheck: where a webhook may lead when it is set.
func TestCheck(t *testing.T) {
	dev := webhook.Rules{Loopback: true}
	listed := webhook.Rules{Hosts: []string{"ci.internal", "10.0.0.7:8080"}}
	cases := []struct {
		reason string
		rules  webhook.Rules
		url    string
		words  string // of the refusal; empty: it is allowed
	}{
		{"a public address", webhook.Rules{}, "https://192.0.2.1/hook", ""},
		{"plain HTTP", webhook.Rules{}, "http://192.0.2.1/hook", "https://"},
		{"another scheme", webhook.Rules{}, "ftp://192.0.2.1/hook", "https://"},
		{"no address", webhook.Rules{}, "https://", "not a web address"},
		{"this host", webhook.Rules{}, "https://127.0.0.1/hook", "--webhook-hosts"},
		{"this host by a name that is looked up", webhook.Rules{}, "https://localhost/hook", "--webhook-hosts"},
		{"this host in other words", webhook.Rules{}, "https://[::ffff:7f00:1]/hook", "--webhook-hosts"},
		{"the clouds' metadata", webhook.Rules{Private: true}, "https://169.254.169.254/latest", "--webhook-hosts"},
		{"a private address", webhook.Rules{}, "https://10.0.0.7/hook", "--private-webhooks"},
		{"a private address where it is allowed", webhook.Rules{Private: true}, "https://10.0.0.7/hook", ""},
		{"a host that the operator lists", listed, "http://ci.internal/hook", ""},
		{"and its port", listed, "http://10.0.0.7:8080/hook", ""},
		{"another port", listed, "http://10.0.0.7:8081/hook", "https://"},
		{"this host, for development", dev, "http://127.0.0.1:9/hook", ""},
	}
	for _, c := range cases {
		err := c.rules.Check(t.Context(), c.url)
		if c.words == "" && err != nil || c.words != "" && (fault.KindOf(err) != fault.BadUserInput || !strings.Contains(fault.PublicOf(err), c.words)) {
			t.Errorf("%s: %v, want %q", c.reason, err, c.words)
		}
	}
}

// TestSend: one attempt, as receivers see it and as it ends.
func TestSend(t *testing.T) {
	const secret = "s3cret"
	now := time.Unix(1_800_000_000, 0)
	body := []byte(`{"type":"build.ended"}`)
	var led int
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		case "/elsewhere":
			led++
		case "/broken":
			http.Error(w, secret, http.StatusInternalServerError)
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/none":
			panic(http.ErrAbortHandler)
		default:
			got, err := io.ReadAll(r.Body)
			if err != nil || !bytes.Equal(got, body) || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" ||
				r.Header.Get("Drydock-Delivery") != "id" || r.Header.Get("Drydock-Event") != "build.ended" || !signed(r, got, secret, now) {
				t.Errorf("it was sent %q with %v (%v)", got, r.Header, err)
			}
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	t.Cleanup(receiver.Close)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	dev := webhook.Rules{Loopback: true}
	cases := []struct {
		reason string
		rules  webhook.Rules
		url    string
		status int
		words  string
	}{
		{"it is taken", dev, receiver.URL + "/hook", 202, ""},
		{"an endless answer is not read", dev, receiver.URL + "/endless", 200, ""},
		{"a failure of the receiver's", dev, receiver.URL + "/broken", 500, "The receiver answered 500."},
		{"a redirect is not followed", dev, receiver.URL + "/moved", 307, "not followed"},
		{"no answer", dev, receiver.URL + "/none", 0, "could not be reached"},
		{"nobody is there", dev, "http://127.0.0.1:1/", 0, "could not be reached"},
		{"a certificate of nobody's", dev, secure.URL, 0, "not trusted"},
		{"plain HTTP", webhook.Rules{}, receiver.URL + "/hook", 0, "https://"},
		{"this host, when it is connected to", webhook.Rules{}, secure.URL, 0, "--webhook-hosts"},
		{"this host by a name, when it is connected to", webhook.Rules{}, strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), 0, "--webhook-hosts"},
		{"a private address, when it is connected to", webhook.Rules{}, "https://10.255.255.1/", 0, "--private-webhooks"},
	}
	for _, c := range cases {
		sender, err := webhook.NewSender(c.rules, nil, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		status, problem := sender.Send(t.Context(), webhook.Delivery{URL: c.url, ID: "id", Event: "build.ended", Body: body, Secret: secret})
		if status != c.status || (problem == "") != (c.words == "") || !strings.Contains(problem, c.words) || strings.Contains(problem, secret) {
			t.Errorf("%s: status %d, %q; want %d, %q", c.reason, status, problem, c.status, c.words)
		}
	}
	if led > 0 {
		t.Errorf("the redirect was followed %d times", led)
	}
}

// signed checks a signature as a receiver does.
func signed(r *http.Request, body []byte, secret string, at time.Time) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(mac, "%d.%s", at.Unix(), body) // a hash takes everything
	return r.Header.Get("Drydock-Signature") == fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
}
