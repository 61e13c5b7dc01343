package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/browser"
)

const (
	status = `[role="status"][aria-label="Status"]`
	lines  = `[aria-label="Lines of the log"]`
)

// TestApp is a first visit: sign in, define an image, build it, and see all of it happen without loading a page again.
func TestApp(t *testing.T) {
	if _, err := os.Stat("../web/app/dist/index.html"); err != nil {
		t.Fatalf("the app is not built: run `make web` (%v)", err)
	}
	g := gateway(t)
	gate := newGate(t, "app")
	v := visit(t, g.URL)
	login := fmt.Sprintf("edsger-%d", logins.Add(1))
	v.do("open", browser.Prefer("light"), browser.Open(g.URL+"/"), browser.Shows("h2", "Sign in"))
	v.tellFigures("the first page, to sign in")
	v.checkLook("app-sign-in")
	v.do("sign in", browser.Fill("GitHub login", login), browser.Press("Sign in"), browser.Visible("header nav"), browser.Shows("header", login))
	v.see("that there are no images", "main", "Define your first image")

	v.do("define an image", browser.Press("New image"), browser.Fill("Name", "hello"),
		browser.Fill("Repository", gate.Repository), browser.Fill("Registry and path", house.Registry+"/"+login+"/hello"),
		browser.Press("Add an argument"), browser.Fill("Name of argument 1", gate.Argument["key"].(string)),
		browser.Fill("Value of argument 1", gate.Argument["value"].(string)))
	v.do("create it", browser.Press("Create image"), browser.Shows("h1", "hello"), browser.Shows("main", "Not built yet"))

	v.do("start a build", browser.Press("Build now"), browser.Shows("h1", "#1"))
	v.see("it in the queue", status, "Queued")
	controller(t) // not before: the build would not wait
	gate.await(t, 1)
	v.see("it run", status, "Running")
	v.see("the log so far", lines, "at the gate")
	v.checkLook("app-build-running")
	gate.open()
	v.see("the log's end", lines, "through the gate")
	v.see("it succeed", status, "Succeeded")
	digest, err := house.Digest(within(t, patience), login+"/hello", "latest")
	if err != nil || digest == "" {
		t.Fatalf("the registry has %q (%v)", digest, err)
	}
	v.see("the digest that the registry has", "code", digest)
	v.checkLook("app-build")

	v.do("go back", browser.Back(), browser.Shows("table", "Succeeded"))
	v.checkLook("app-image")
	v.do("go to the settings", browser.Click(`[role="tab"][id$="-settings"]`), browser.Shows("main", "Destination"))
	v.do("go to all images", browser.Press("Images"), browser.Shows("main li", "Succeeded"))
	v.checkLook("app-images")
	v.do("sign out", browser.Press(login), browser.Press("Sign out"), browser.Visible(`input[name="login"]`))
	v.checkWitness("/", 3) // the first time, with the new session, and without it
}

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

// TestAppOutcomes fails a build and cancels one, on a phone: the page says what became of them, and why.
func TestAppOutcomes(t *testing.T) {
	g := gateway(t)
	controller(t)
	gate := newGate(t, "app-outcomes")
	donald := signIn(t, g.URL, "donald")
	donald.createImage("broken", strings.TrimSuffix(gate.Repository, ".git")+"-gone.git")
	held := donald.createImage("held", gate.Repository, gate.Argument)
	v := visit(t, g.URL)
	v.do("open it on a phone", browser.Open(g.URL+"/images/broken"), browser.Visible(`input[name="login"]`))
	v.phone = true
	v.holdPhone()
	v.signInAt("/images/broken", donald.login)
	v.do("start a build", browser.Press("Build now"), browser.Shows("h1", "#1"))
	v.see("it fail", status, "Failed")
	v.see("why", `main [role="alert"]`, "-gone.git")
	v.checkLook("app-build-failed")

	v.do("go to all images", browser.Press("Images"), browser.Shows("main li", "Never built"))
	donald.startBuild(held)
	v.see("a build that began elsewhere", "main li", "Running")
	gate.await(t, 1)
	v.do("open it", browser.Press("held"), browser.Press("#1"), browser.Shows("h1", "held"))
	v.see("it run", status, "Running")
	v.do("cancel it", browser.Press("Cancel build"))
	v.see("its end", status, "Cancelled")
	v.checkWitness("/images/broken", 3) // to hold the phone, and as above
}

// signInAt opens a page's address and signs in there.
func (v *visitor) signInAt(path, login string) {
	v.t.Helper()
	v.do("open "+path, browser.Open(v.url+path), browser.Visible(`input[name="login"]`))
	v.do("sign in", browser.Fill("GitHub login", login), browser.Press("Sign in"), browser.Visible("header nav"))
}

// TestAppAccount sees usage rise, buys a plan at Stripe's page, and sees the account on it.
func TestAppAccount(t *testing.T) {
	g := gateway(t)
	house.Stripe.Tell(g)
	t.Cleanup(house.Stripe.Untell)
	controller(t)
	gate := newGate(t, "app-account")
	gate.open()
	radia := signIn(t, g.URL, "radia")
	image := radia.createImage("hello", gate.Repository, gate.Argument)
	v := visit(t, g.URL)
	v.signInAt("/usage", radia.login)
	v.see("no usage", "main", "No build minutes")
	radia.startBuild(image)
	v.see("the usage after a build", "main table tfoot", "Together")
	v.do("see the chart", browser.Visible("main svg.recharts-surface"))
	v.checkLook("app-usage")

	v.do("go to the settings", browser.Press("Settings"), browser.Shows("h1", "Settings"))
	v.checkLook("app-settings")
	v.do("go to the plans", browser.Press("Plan"), browser.Shows("main", "Switch to Scale"))
	v.checkLook("app-plan")
	v.do("choose one", browser.Press("Switch to Team"), browser.Visible("button[value=pay]"))
	v.do("pay", browser.Click("button[value=pay]"), browser.Visible("header nav"))
	v.backAt(g.URL + "/plan?checkout=success")
	v.see("the new plan", `main [data-present]`, "Team")
	for _, complaint := range v.Complaints() {
		t.Errorf("the browser complains: %s", complaint)
	}
}
