package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"drydock.dev/drydock/auth/authtest"
	"drydock.dev/drydock/billing/billingtest"
)

const patience = 2 * time.Minute

// nowhere is a kubeconfig of a cluster that does not answer.
const nowhere = "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n" +
	"clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\nusers: [{name: u, user: {}}]\n"

// journal is where a gateway under test logs.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

// line is the first one with a message; nil without any.
func (j *journal) line(message string) map[string]any {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range strings.Lines(j.text.String()) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] == message {
			return fields
		}
	}
	return nil
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// TestGatewayWithoutKubernetes runs the whole program with a Stripe and a GitHub, and a
// cluster that does not answer: it is alive, says what is missing, signs people in and
// shows what Stripe knows, and ends well.
func TestGatewayWithoutKubernetes(t *testing.T) {
	stripe, err := billingtest.New(billingtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stripeServer := httptest.NewServer(stripe)
	defer func() {
		stripeServer.Close()
		if err := stripe.Close(); err != nil {
			t.Error(err)
		}
	}()
	github := httptest.NewServer(authtest.New(authtest.Options{ClientID: "app", ClientSecret: "s3cret"}))
	defer github.Close()
	env := map[string]string{
		"DRYDOCK_LISTEN": "127.0.0.1:0", "DRYDOCK_METRICS_LISTEN": "127.0.0.1:0", "KUBECONFIG": file(t, nowhere), "DRYDOCK_SESSION_KEYS": oneKey,
		"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_API_BASE": stripeServer.URL,
		"GITHUB_URL": github.URL, "GITHUB_CLIENT_ID": "app", "GITHUB_CLIENT_SECRET": "s3cret", "STRIPE_WEBHOOK_SECRETS": "whsec_1",
	}
	var log journal
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, nil, func(name string) string { return env[name] }, io.Discard, &log) }()
	var base string
	eventually(t, "listening", func() bool {
		if line := log.line("listening"); line != nil {
			base, _ = line["publicURL"].(string)
		}
		return base != ""
	})
	metrics, _ := log.line("listening for metrics")["address"].(string)
	metrics = "http://" + metrics

	browser := newBrowser(t)
	if got := fetch(t, browser, http.MethodGet, base+"/livez", "", ""); got.status != http.StatusOK {
		t.Errorf("livez: %+v", got)
	}
	eventually(t, "Stripe is ready, Kubernetes is not", func() bool {
		got := fetch(t, browser, http.MethodGet, base+"/readyz", "", "")
		return got.status == http.StatusServiceUnavailable && strings.Contains(got.text, `"kubernetes":{"ready":false`) && strings.Contains(got.text, `"notices":{"ready":false`) && strings.Contains(got.text, `"stripe":{"ready":true`)
	})
	at := fetch(t, browser, http.MethodGet, base+"/auth/github", "", "").url
	form := at.Query()
	form.Set("login", "Ada")
	fetch(t, browser, http.MethodPost, github.URL+"/login/oauth/authorize", "application/x-www-form-urlencoded", form.Encode())
	got := fetch(t, browser, http.MethodPost, base+"/graphql", "application/json", `{"query":"{viewer{login role plan{name}}}"}`)
	if got.text != `{"data":{"viewer":{"login":"ada","role":"USER","plan":{"name":"Free"}}}}` {
		t.Errorf("signed in by GitHub: %+v", got)
	}
	for page, want := range map[string]string{base + "/": "Drydock", base + "/graphiql": "<html", metrics + "/metrics": `drydock_upstream_requests_total{operation="POST /login/oauth/access_token",outcome="2xx",upstream="github"} 1`} {
		if got := fetch(t, browser, http.MethodGet, page, "", ""); got.status != http.StatusOK || !strings.Contains(got.text, want) {
			t.Errorf("%s: %d, without %s", page, got.status, want)
		}
	}
	if got := fetch(t, browser, http.MethodGet, base+"/metrics", "", ""); strings.Contains(got.text, "drydock_upstream") {
		t.Error("the public address shows metrics, which have one of their own")
	}
	if got := fetch(t, browser, http.MethodGet, metrics+"/graphql?query={viewer{login}}", "", ""); got.status != http.StatusNotFound {
		t.Errorf("the metrics' address answers a query: %+v", got)
	}
	if got := fetch(t, browser, http.MethodPost, base+"/auth/dev", "application/json", `{"login":"ada"}`); got.status != http.StatusMethodNotAllowed && got.status != http.StatusNotFound {
		t.Errorf("without --dev: %+v", got)
	}

	// A webhook is taken notice of; as the others cannot be told, it is to come again.
	stripe.AddWebhook(billingtest.Webhook{URL: base + "/webhooks/stripe", Secret: "whsec_1"})
	renamed, err := http.NewRequestWithContext(t.Context(), http.MethodPost, stripeServer.URL+"/v1/products/prod_drydock_free", strings.NewReader("name=Gratis"))
	if err != nil {
		t.Fatal(err)
	}
	renamed.Header.Set("Authorization", "Bearer sk_test_1")
	renamed.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if response, err := http.DefaultClient.Do(renamed); err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("a plan's name in Stripe: %v %v", response, err)
	}
	eventually(t, "the new name is shown", func() bool {
		got := fetch(t, browser, http.MethodPost, base+"/graphql", "application/json", `{"query":"{viewer{plan{name}}}"}`)
		return strings.Contains(got.text, `"Gratis"`)
	})
	eventually(t, "the webhook is to come again", func() bool {
		return strings.Contains(fetch(t, browser, http.MethodGet, metrics+"/metrics", "", "").text, `drydock_webhooks_total{outcome="again",source="stripe"}`)
	})

	stop()
	select {
	case code := <-ended:
		if code != 0 {
			t.Errorf("exit code %d", code)
		}
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	if log.line("panic") != nil {
		t.Errorf("panicked: %v", log.line("panic"))
	}
}

// answer is what a browser gets, and where it then is.
type answer struct {
	status int
	text   string
	url    *url.URL
}

func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: patience}
}

func fetch(t *testing.T, browser *http.Client, method, address, contentType, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, string(text), response.Request.URL}
}
