package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/playwright-community/playwright-go"
)

// Witness remembers what pages and their workers complained of and asked for.
type Witness struct {
	mutex                sync.Mutex
	complaints, requests []string
}

// Complaints are the warnings and errors so far: of the console, of exceptions that nothing caught, and of the browser
// itself, such as requests that failed or broke the Content-Security-Policy.
func (w *Witness) Complaints() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Clone(w.complaints)
}

// Requests are the URLs asked for so far, WebSockets included.
func (w *Witness) Requests() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Clone(w.requests)
}

// watch listens to all pages of a session, and to each worker that they start.
func (w *Witness) watch(session playwright.BrowserContext) {
	session.OnConsole(func(m playwright.ConsoleMessage) {
		switch m.Type() {
		case "warning", "error", "assert":
			at := m.Location()
			w.complain("console %s: %s (%s:%d)", m.Type(), m.Text(), at.URL, at.LineNumber)
		}
	})
	session.OnWebError(func(e playwright.WebError) { w.complain("exception: %v", e.Error()) })
	session.OnRequest(func(r playwright.Request) { w.ask(r.URL()) })
	session.OnRequestFailed(func(r playwright.Request) {
		if reason := r.Failure(); !strings.Contains(reason.Error(), "net::ERR_ABORTED") { // by the page itself, or by leaving it
			w.complain("%s %s failed: %v", r.Method(), r.URL(), reason)
		}
	})
	session.OnResponse(func(r playwright.Response) {
		if r.Status() >= http.StatusBadRequest {
			w.complain("%s is answered with %d", r.URL(), r.Status())
		}
	})
	session.OnPage(func(page playwright.Page) {
		page.OnCrash(func(playwright.Page) { w.complain("the page %s crashed", page.URL()) })
		page.OnWebSocket(func(s playwright.WebSocket) {
			w.ask(s.URL())
			s.OnSocketError(func(reason string) { w.complain("%s: %s", s.URL(), reason) })
		})
	})
}

// watchWorkers listens to what the browser itself says of the page's workers, such as that one broke the
// Content-Security-Policy: Playwright leaves that out (https://chromedevtools.github.io/devtools-protocol/tot/Log).
func (w *Witness) watchWorkers(devtools playwright.CDPSession) error {
	devtools.On("Target.attachedToTarget", func(event map[string]any) {
		listen := map[string]any{"sessionId": event["sessionId"], "message": `{"id": 1, "method": "Log.enable"}`}
		go func() { _, _ = devtools.Send("Target.sendMessageToTarget", listen) }() // fails when the worker has ended
	})
	devtools.On("Target.receivedMessageFromTarget", func(event map[string]any) {
		var said struct {
			Method string
			Params struct {
				Entry struct{ Source, Level, Text, URL string }
			}
		}
		text, _ := event["message"].(string)
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			w.complain("a worker says %q: %v", text, err)
		}
		if e := said.Params.Entry; said.Method == "Log.entryAdded" && (e.Level == "warning" || e.Level == "error") {
			w.complain("worker %s %s: %s (%s)", e.Source, e.Level, e.Text, e.URL)
		}
	})
	_, err := devtools.Send("Target.setAutoAttach", map[string]any{"autoAttach": true, "waitForDebuggerOnStart": false, "flatten": false})
	return err
}

func (w *Witness) complain(format string, args ...any) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.complaints = append(w.complaints, fmt.Sprintf(format, args...))
}

func (w *Witness) ask(url string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.requests = append(w.requests, url)
}
