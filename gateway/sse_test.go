package gateway_test

import (
	"bufio"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/gateway"
)

func TestEventStream(t *testing.T) {
	w := serve(t, nil)
	cookie := w.signIn(t)
	lines := ": connected\n\n" +
		"event: next\ndata: {\"data\":{\"buildLog\":{\"number\":1}}}\n\n" +
		"event: next\ndata: {\"data\":{\"buildLog\":{\"number\":2}}}\n\n" +
		"event: complete\ndata:\n\n"
	tests := []struct{ reason, query, accept, media, want string }{
		{"a subscription that completes", `subscription{buildLog(id:"b"){number}}`, "text/event-stream", "text/event-stream", lines},
		{"a subscription of a client that accepts all", `subscription{buildLog(id:"b"){number}}`, "application/json, text/event-stream", "text/event-stream", lines},
		{"a query", "{viewer{login}}", "text/event-stream", "text/event-stream",
			": connected\n\nevent: next\ndata: {\"data\":{\"viewer\":{\"login\":\"ada\"}}}\n\nevent: complete\ndata:\n\n"},
		{"a failure of a resolver", `subscription{buildLog(id:"panic"){number}}`, "text/event-stream", "text/event-stream", "INTERNAL"},
		{"what does not begin is no stream", "subscription{nothing}", "text/event-stream", "application/json", "GRAPHQL_VALIDATION_FAILED"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			got := w.query(t, test.query, cookie, "Accept: "+test.accept)
			if got.header.Get("Content-Type") != test.media || !strings.Contains(got.body, test.want) {
				t.Errorf("%s: %s", got.header.Get("Content-Type"), got.body)
			}
		})
	}
	got := w.send(t, http.MethodGet, `/graphql?query=subscription{buildLog(id:"b"){number}}`, "", cookie, "Accept: text/event-stream")
	if got.body != lines {
		t.Errorf("EventSource, which sends GET: %s", got.body)
	}
}

// TestEventStreamBeforeReady: what is followed would seem not to be there before all is read; what is asked once is answered.
func TestEventStreamBeforeReady(t *testing.T) {
	w := serve(t, nil)
	cookie := w.signIn(t)
	w.part.set(errors.New("builds are not read yet"))
	for query, status := range map[string]int{`subscription{buildLog(id:"b"){number}}`: http.StatusServiceUnavailable, "{viewer{login}}": http.StatusOK} {
		if got := w.query(t, query, cookie, "Accept: text/event-stream"); got.status != status || (got.header.Get("Retry-After") != "") != (status != http.StatusOK) {
			t.Errorf("%s before: %d %q %s", query, got.status, got.header, got.body)
		}
	}
	w.part.set(nil)
	if got := w.query(t, `subscription{buildLog(id:"b"){number}}`, cookie, "Accept: text/event-stream"); got.status != http.StatusOK {
		t.Errorf("after: %d %s", got.status, got.body)
	}
}

func TestEventStreamShowsLife(t *testing.T) {
	w := serve(t, func(o *gateway.Options) { o.Limits.KeepAlive = 20 * time.Millisecond })
	stream := w.stream(t, w.signIn(t))
	comments := 0
	for comments < 3 && stream.Scan() {
		if stream.Text() == ":" {
			comments++
		}
	}
	if comments < 3 {
		t.Fatalf("only %d comments: %v", comments, stream.Err())
	}
}

// stream opens an event stream of viewerChanged, and reads its lines.
func (w *world) stream(t *testing.T, cookie string) *bufio.Scanner {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+"/graphql", strings.NewReader(`{"query":"subscription{viewerChanged{login}}"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Cookie", strings.TrimPrefix(cookie, "Cookie: "))
	answer, err := w.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("stream: %s", answer.Status)
	}
	return bufio.NewScanner(answer.Body)
}
