package e2e

import (
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/browser"
)

// TestAppReconnects kills the replica under an open build: the page says so, finds the next one by itself, and shows each
// line of the log once. Before that it fails to sign in: all that the browser itself complains of is in this test.
func TestAppReconnects(t *testing.T) {
	g := gateway(t)
	controller(t)
	gate := newGate(t, "app-reconnects")
	barbara := signIn(t, g.URL, "barbara")
	b := barbara.startBuild(barbara.createImage("hello", gate.Repository, gate.Argument))
	gate.await(t, 1)
	v := visit(t, g.URL)
	v.failToSignIn()
	v.signInAt("/builds/"+b.ID, barbara.login)
	v.see("the log so far", lines, "at the gate")
	v.see("it run", status, "Running")

	g.Kill()
	v.see("that the connection is lost", "[data-notice]", "Connection lost")
	next, err := house.GatewayAt(within(t, patience), strings.TrimPrefix(g.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, next.Process) })
	v.see("that it is back", "[data-notice]", "Connected again")
	gate.open()
	v.see("the log's end", lines, "through the gate")
	v.see("it succeed", status, "Succeeded")
	v.do("count the lines", browser.Holds(
		"document.querySelector('"+lines+"').textContent.split('at the gate').length === 2"))
}

// failToSignIn gives a login that there cannot be, and refuses at GitHub: both times the page says why, and leads on.
func (v *visitor) failToSignIn() {
	v.t.Helper()
	v.do("give no login", browser.Open(v.url+"/"), browser.Fill("GitHub login", "no login"), browser.Press("Sign in"))
	v.see("what one is", "main form", "A login has 1 to 39 letters")
	v.do("go to GitHub", browser.Press("Continue with GitHub"), browser.Shows("h1", "Sign in to Drydock"))
	v.do("refuse", browser.Press("Refuse"), browser.Shows("h1", "Not signed in"), browser.Shows("main", "allow access"))
	v.do("try again", browser.Press("Sign in again"), browser.Shows("h2", "Sign in"))
}
