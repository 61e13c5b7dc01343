package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/browser"
	"github.com/chromedp/chromedp"
)

// explorer is somebody at GraphiQL in a browser, who fails the test when a step does not come about.
type explorer struct {
	*browser.Browser
	t   *testing.T
	url string // of the gateway
}

const (
	operation = ".graphiql-query-editor .view-lines"
	variables = `section[aria-label="Variables"] .monaco-editor`
	answer    = ".graphiql-response .view-lines"
	execute   = ".graphiql-execute-button"
)

// explore starts a browser that lives as long as the test.
func explore(t *testing.T, url string) *explorer {
	t.Helper()
	b, err := browser.Start(within(t, patience), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return &explorer{Browser: b, t: t, url: url}
}

// do does the steps of one action.
func (e *explorer) do(what string, steps ...browser.Step) {
	e.t.Helper()
	if err := e.Do(within(e.t, 30*time.Second), steps...); err != nil {
		shown, reading := e.Text(within(e.t, 10*time.Second))
		e.t.Fatalf("%s: %v; complaints %q; the page shows (%v):\n%s", what, err, e.Complaints(), reading, shown)
	}
}

// see waits until the page shows something.
func (e *explorer) see(what, selector, text string) {
	e.t.Helper()
	e.do("see "+what, browser.Shows(selector, text))
}

// open loads the page anew for a person who prefers a color scheme: the background's red tells which one it shows.
func (e *explorer) open(scheme string, least, most int) {
	e.t.Helper()
	red := `parseInt(getComputedStyle(document.querySelector(".graphiql-container")).backgroundColor.match(/\d+/))`
	e.do("open in "+scheme, browser.Prefer(scheme), chromedp.Navigate(e.url+"/graphiql"),
		browser.Shows(".bar label", "sign in as"), browser.Shows(operation, "query Viewer"),
		browser.Holds(fmt.Sprintf("%d <= %s && %s <= %d", least, red, red, most)))
}

func (e *explorer) signIn(login string) {
	e.t.Helper()
	e.do("sign in", chromedp.SetValue(chromedp.CSS(".bar input"), login),
		browser.Click(".bar form button"), browser.Shows(".bar strong", login))
}

// readDocs opens the documentation explorer, goes to the type Query, and closes it.
func (e *explorer) readDocs() {
	e.t.Helper()
	button := func(verb string) string { return `button[aria-label="` + verb + ` Documentation Explorer"]` }
	e.do("read the docs", browser.Click(button("Show")), browser.Shows(".graphiql-doc-explorer", "Query"),
		browser.Click(".graphiql-doc-explorer-type-name"), browser.Shows(".graphiql-doc-explorer-field-name", "viewer"),
		browser.Click(button("Hide")))
}

// run opens the tab of an example operation and executes it, with other variables where given.
func (e *explorer) run(name, values string) {
	e.t.Helper()
	// GraphiQL reads the operation's name 100 ms after the text changed, when it also keeps the text for the next visit.
	e.do("open the tab "+name, browser.Click(`.graphiql-tab-button[title="`+name+`"]`), browser.Shows(operation, " "+name),
		browser.Holds(fmt.Sprintf(`(localStorage["graphiql:query"] ?? "").includes(" %s")`, name)))
	if values != "" {
		e.do("set variables", browser.Click(variables), browser.Holds(`document.activeElement.closest(".graphiql-editor-tool") != null`),
			browser.Paste(values), browser.Shows(variables, values[len(values)-20:]))
	}
	e.do("execute "+name, browser.Click(execute))
}

// checkWitness holds that the page worked without a complaint, asked nobody but its gateway, and was never loaded again.
func (e *explorer) checkWitness() {
	e.t.Helper()
	for _, complaint := range e.Complaints() {
		e.t.Errorf("the browser complains: %s", complaint)
	}
	requests := e.Requests()
	host := strings.TrimPrefix(e.url, "http://")
	for _, request := range requests {
		own := func(scheme string) bool { return strings.HasPrefix(request, scheme) }
		if !slices.ContainsFunc([]string{"http://" + host + "/", "ws://" + host + "/", "data:", "blob:"}, own) {
			e.t.Errorf("the page asks %s, which is not its gateway", request)
		}
	}
	if !slices.Contains(requests, "ws://"+host+"/graphql") {
		e.t.Errorf("no WebSocket was opened: %q", requests)
	}
	loads := 0
	for _, request := range requests {
		if request == e.url+"/graphiql" {
			loads++
		}
	}
	if loads != 2 {
		e.t.Errorf("the page was loaded %d times, want once for each color scheme", loads)
	}
}
