package browser_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/browser"
)

// launch starts a browser that lives as long as the test.
func launch(ctx context.Context, t *testing.T) *browser.Browser {
	t.Helper()
	b, err := browser.Launch(ctx, "driver")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return b
}

// TestWitness holds that nothing a page or a worker of it complains of goes unheard.
func TestWitness(t *testing.T) {
	pages := http.NewServeMux()
	pages.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; script-src 'self' 'unsafe-inline'")
		_, _ = w.Write([]byte(`<!doctype html><p>the page</p><link rel="icon" href="/missing"><script>
			console.log("chatter"); console.warn("a warning"); console.error("an error");
			new Worker("/worker.js"); new WebSocket("/socket".replace(/^/, location.origin.replace("http", "ws")));
			fetch("http://elsewhere.invalid/").catch(() => {}); throw new Error("nobody catches this");</script>`))
	})
	pages.HandleFunc("/worker.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write([]byte(`console.error("of the worker"); fetch("/of-worker");
			new WebSocket("/worker-socket".replace(/^/, location.origin.replace("http", "ws"))); throw new Error("a worker fails");`))
	})
	server := httptest.NewServer(pages)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := launch(ctx, t).Visit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Do(ctx, browser.Open(server.URL), browser.Shows("p", "the page")); err != nil {
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
		{b.Complaints, "a worker fails", "so do their exceptions"},
		{b.Complaints, "/of-worker is answered with 404", "and what they ask for"},
		{b.Complaints, "/worker-socket", "and their sockets"},
		{b.Requests, server.URL + "/worker.js", "files are requests"},
		{b.Requests, "ws://", "WebSockets are requests"},
		{b.Requests, server.URL + "/of-worker", "workers' requests are requests"},
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

// TestSteps finds things by what people see, in a page whose Content-Security-Policy is as strict as the app's.
func TestSteps(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'")
		if r.URL.Path == "/script.js" {
			_, _ = w.Write([]byte(`addEventListener("click", e => e.target.id && setTimeout(() => document.getElementById("told").textContent += " " + e.target.id, 100));`))
			return
		}
		_, _ = w.Write([]byte(`<!doctype html><title>` + r.URL.Path + `</title><script src="/script.js"></script>
			<button hidden>Save</button><button id="save">Save</button><button id="all">Save all</button><a id="link" href="#there">There</a>
			<input type="checkbox" role="switch" id="s" hidden><label for="s" id="on">Is <b>on</b></label><label>Text <input id="text" value="old"></label>
			<p>{"a": ["b/c` + "\u00a0\n" + `>>'d'\\"]} é</p><p id="told">told</p>`))
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	b, err := launch(ctx, t).Visit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Do(ctx, browser.Size(390, 844), browser.Open(server.URL+"/one"), browser.Holds(`innerWidth === 390 && innerHeight === 844`)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		reason string
		steps  []browser.Step
		fails  bool
	}{
		{"a button by its whole name", []browser.Step{browser.Press("Save"), browser.Shows("#told", "told save")}, false},
		{"a link", []browser.Step{browser.Press("There"), browser.Holds(`location.hash === "#there"`)}, false},
		{"a switch by its label", []browser.Step{browser.Toggle("Is on"), browser.Holds(`document.getElementById("s").checked`)}, false},
		{"a field by its label", []browser.Step{browser.Fill("Text", "new"), browser.Holds(`document.getElementById("text").value === "new"`), browser.Focused("label")}, false},
		{"a key", []browser.Step{browser.Key("End"), browser.Type("er"), browser.Holds(`document.getElementById("text").value === "newer"`)}, false},
		{"any sign in a text, whatever the white space", []browser.Step{browser.Shows("p", `{"a": ["b/c >>'d'\\"]} é`)}, false},
		{"small and capital letters differ", []browser.Step{browser.Shows("p", `TOLD`)}, true},
		{"what is hidden is not seen", []browser.Step{browser.Visible("[hidden]")}, true},
		{"what is not there is not pressed", []browser.Step{browser.Press("Sav")}, true},
		{"what never holds", []browser.Step{browser.Holds("false")}, true},
		{"another page, and back", []browser.Step{browser.Open(server.URL + "/two"), browser.Reload(), browser.Back(), browser.Holds(`document.title === "/one"`)}, false},
	} {
		limit, done := ctx, context.CancelFunc(func() {})
		if c.fails {
			limit, done = context.WithTimeout(ctx, time.Second)
		}
		if err := b.Do(limit, c.steps...); (err != nil) != c.fails {
			t.Errorf("%s: %v", c.reason, err)
		}
		done()
	}
	if complaints := b.Complaints(); len(complaints) > 0 {
		t.Errorf("the page complains: %q", complaints)
	}
	if _, err := b.Evaluate(ctx, `navigator.clipboard.writeText("of the page").then(() => "")`); err != nil {
		t.Fatal(err)
	}
	if text, err := b.Clipboard(ctx); text != "of the page" {
		t.Errorf("the clipboard has %q (%v)", text, err)
	}
}
