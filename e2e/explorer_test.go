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

// looks holds a color scheme's background: its red tells.
func looks(name string) browser.Step {
	red := `parseInt(getComputedStyle(document.querySelector(".graphiql-container")).backgroundColor.match(/\d+/))`
	if name == "dark" {
		return browser.Holds(red + " <= 96")
	}
	return browser.Holds(red + " >= 160")
}

// open loads the page anew for a person who prefers a color scheme.
func (e *explorer) open(name string) {
	e.t.Helper()
	e.do("open in "+name, browser.Prefer(name), browser.Open(e.url+"/graphiql"),
		browser.Shows(".bar label", "sign in as"), browser.Shows(operation, "query Viewer"), looks(name))
}

// follow chooses a color scheme as the app does in another tab, and keeps a picture.
func (e *explorer) follow(name string) {
	e.t.Helper()
	e.do("choose "+name+" in the app", browser.Holds(fmt.Sprintf(
		`(localStorage.setItem("mantine-color-scheme-value", %q), dispatchEvent(new StorageEvent("storage")), true)`, name)), looks(name))
	e.checkAccess("graphiql", name)
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
