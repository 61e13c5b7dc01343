package browser_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/browser"
	"github.com/chromedp/chromedp"
)

// TestWitness holds that nothing a page or a worker of it complains of goes unheard.
func TestWitness(t *testing.T) {
	pages := http.NewServeMux()
	pages.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; script-src 'self' 'unsafe-inline'")
		_, _ = w.Write([]byte(`<!doctype html><p>the page</p><link rel="icon" href="/missing"><script>
			console.log("chatter"); console.warn("a warning"); console.error("an error");
			new Worker("/worker.js"); new WebSocket("/socket".replace(/^/, location.origin.replace("http", "ws")));
			fetch("http://elsewhere.invalid/").catch(() => {}); throw new Error("nobody catches this");</script>`))
	})
	pages.HandleFunc("/worker.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write([]byte(`console.error("of the worker"); fetch("/asked-by-worker")`))
	})
	pages.HandleFunc("/socket", http.NotFound)
	server := httptest.NewServer(pages)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	b, err := browser.Start(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	if err := b.Do(ctx, chromedp.Navigate(server.URL), browser.Shows("p", "the page")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		told   func() []string
		want   string
		reason string
	}{
		{b.Complaints, "a warning", "the console's warnings count"},
		{b.Complaints, "an error", "the console's errors count"},
		{b.Complaints, "nobody catches this", "exceptions count"},
		{b.Complaints, "Content Security Policy", "the browser's own complaints count"},
		{b.Complaints, "WebSocket connection", "a socket that is refused counts"},
		{b.Complaints, "of the worker", "workers count"},
		{b.Requests, server.URL + "/worker.js", "files are requests"},
		{b.Requests, "ws://", "WebSockets are requests"},
	} {
		for !strings.Contains(strings.Join(c.told(), "\n"), c.want) {
			if err := b.Do(ctx, browser.Holds("true")); err != nil { // one frame of the page
				t.Fatalf("%q was not heard (%s): %v, heard %q", c.want, c.reason, err, c.told())
			}
		}
	}
	if strings.Contains(strings.Join(b.Complaints(), "\n"), "chatter") {
		t.Error("plain console lines are no complaints")
	}
}
