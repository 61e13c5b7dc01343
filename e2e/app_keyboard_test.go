package e2e

import (
	"fmt"
	"testing"

	"drydock.dev/drydock/e2e/browser"
)

// TestAppKeyboard goes the main way by the keyboard alone: sign in, define an image, build it, cancel, delete it, sign out.
func TestAppKeyboard(t *testing.T) {
	g := gateway(t)
	controller(t)
	gate := newGate(t, "app-keyboard")
	v := visit(t, g.URL)
	login := fmt.Sprintf("hedy-%d", logins.Add(1))
	v.do("sign in", browser.Open(g.URL+"/"), browser.TabTo("GitHub login"), browser.Type(login), browser.Enter(), browser.Visible("header nav"))
	v.do("skip the menu", browser.Shows("main", "Define your first image"), browser.TabTo("Skip to the content"), browser.Enter(), browser.Focused("#main"))
	v.do("begin an image", browser.TabTo("New image"), browser.Enter(), browser.Shows("h1", "New image"))
	for _, field := range []struct{ name, text string }{
		{"Name", "hello"}, {"Repository", gate.Repository}, {"Registry and path", house.Registry + "/" + login + "/hello"},
	} {
		v.do("fill "+field.name, browser.TabTo(field.name), browser.Type(field.text))
	}
	v.do("add an argument", browser.TabTo("Add an argument"), browser.Enter(), browser.Visible(`input[aria-label="Name of argument 1"]`))
	v.do("name it", browser.TabTo("Name of argument 1"), browser.Type(gate.Argument["key"].(string)))
	v.do("give it", browser.TabTo("Value of argument 1"), browser.Type(gate.Argument["value"].(string)), browser.Enter(), browser.Shows("h1", "hello"))
	v.do("start a build", browser.TabTo("Build now"), browser.Enter(), browser.Shows("h1", "#1"))
	gate.await(t, 1)
	v.see("it run", status, "Running")
	v.do("cancel it", browser.TabTo("Cancel build"), browser.Enter())
	v.see("its end", status, "Cancelled")
	v.do("go to its image", browser.TabTo("hello"), browser.Enter(), browser.Shows("table", "Cancelled"))
	v.do("go to the last tab", browser.TabTo("Builds"), browser.Key("End"), browser.Focused(`[role=tab][id$="-settings"]`), browser.Enter(), browser.Shows("main", "Delete image"))
	v.do("think again about deleting it", browser.TabTo("Delete image"), browser.Enter(), browser.Focused("[role=dialog] input"), browser.Key("Escape"), noDialog,
		browser.Holds(`document.activeElement.textContent === "Delete image"`))
	v.do("delete it", browser.Enter(), browser.Focused("[role=dialog] input"), browser.Type("hello"), browser.Enter(), browser.Shows("main", "Define your first image"))
	v.do("sign out", browser.TabTo(login), browser.Enter(), browser.Focused("[role=menu]"), browser.Key("ArrowDown"), browser.Focused("[role=menuitem]"), browser.Enter(),
		browser.Visible(`input[name="login"]`))
	v.checkLoads("/", "/", "/")
	v.checkQuiet()
}
