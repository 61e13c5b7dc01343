package e2e

import (
	"fmt"

	"drydock.dev/drydock/e2e/browser"
)

// explorer is somebody at GraphiQL.
type explorer struct{ *visitor }

const (
	operation = ".graphiql-query-editor .view-lines"
	variables = `section[aria-label="Variables"] .monaco-editor`
	answer    = ".graphiql-response .view-lines"
	execute   = ".graphiql-execute-button"
)

// open loads the page anew for a person who prefers a color scheme: the background's red tells which one it shows.
func (e *explorer) open(scheme string, least, most int) {
	e.t.Helper()
	red := `parseInt(getComputedStyle(document.querySelector(".graphiql-container")).backgroundColor.match(/\d+/))`
	e.do("open in "+scheme, browser.Prefer(scheme), browser.Open(e.url+"/graphiql"),
		browser.Shows(".bar label", "sign in as"), browser.Shows(operation, "query Viewer"),
		browser.Holds(fmt.Sprintf("%d <= %s && %s <= %d", least, red, red, most)))
}

func (e *explorer) signIn(login string) {
	e.t.Helper()
	e.do("sign in", browser.Fill("sign in as", login),
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
