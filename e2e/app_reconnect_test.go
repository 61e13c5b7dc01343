package e2e

import (
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/browser"
)

// TestAppReconnects kills the replica under an open build: the page says so, finds the next one by itself, and shows each
// line of the log once.
func TestAppReconnects(t *testing.T) {
	g := gateway(t)
	controller(t)
	gate := newGate(t, "app-reconnects")
	barbara := signIn(t, g.URL, "barbara")
	b := barbara.startBuild(barbara.createImage("hello", gate.Repository, gate.Argument))
	gate.await(t, 1)
	v := visit(t, g.URL)
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
