package e2e

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"drydock.dev/drydock/e2e/browser"
	"drydock.dev/drydock/e2e/client"
)

const (
	status = `[role="status"][aria-label="Status"]`
	lines  = `[aria-label="Lines of the log"]`
)

// TestApp is all that the app is for, from the first visit to signing out, on each size of window: whoever walks through it
// sees builds, logs, usage and the plan move without loading a page again.
func TestApp(t *testing.T) {
	if _, err := os.Stat("../web/app/dist/index.html"); err != nil {
		t.Fatalf("the app is not built: run `make web` (%v)", err)
	}
	g := gateway(t)
	house.Stripe.Tell(g)
	t.Cleanup(house.Stripe.Untell)
	for _, c := range []struct {
		name   string
		size   size
		reason string
	}{
		{"laptop", laptop, "builds are followed at work"},
		{"phone", phone, "and wherever one is when a build fails"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &walk{visit(t, g.URL), fmt.Sprintf("edsger-%s-%d", c.name, logins.Add(1)), newGate(t, "app")}
			w.hold(c.size)
			w.signIn()
			w.createImage()
			w.build()
			w.failBuild()
			w.cancelBuild()
			w.buyPlan()
			w.useToken()
			w.signOut()
			w.checkLoads("/?sort=name", "/?sort=name", "/plan?checkout=success", "/")
			w.checkQuiet(house.GitHub+"/login/oauth/authorize", house.Stripe.URL+"/c/pay/")
			if t.Failed() {
				t.Logf("on a %s, since %s", c.name, c.reason)
			}
		})
	}
}

// walk is somebody's way through the app.
type walk struct {
	*visitor
	login string
	gate  *gate
}

// signIn goes through GitHub's page, as a newcomer, and comes to where the link led: to an empty list.
func (w *walk) signIn() {
	w.t.Helper()
	w.do("open", browser.Prefer("light"), browser.Open(w.url+"/?sort=name"), browser.Shows("h2", "Sign in"))
	w.look("app-sign-in")
	w.do("go to GitHub", browser.Press("Continue with GitHub"), browser.Shows("h1", "Sign in to Drydock"))
	w.do("sign in there", browser.Fill("Login", strings.ToUpper(w.login)), browser.Press("Sign in"), browser.Shows("header", w.login))
	w.see("that there are no images", "main", "Define your first image")
	w.look("app-images-none")
}

func (w *walk) createImage() {
	w.t.Helper()
	w.do("define an image", browser.Click(`main a[href="/new"]`), browser.Fill("Name", "hello"),
		browser.Fill("Repository", w.gate.Repository), browser.Fill("Registry and path", w.destination()),
		browser.Press("Add an argument"), browser.Fill("Name of argument 1", w.gate.Argument["key"].(string)),
		browser.Fill("Value of argument 1", w.gate.Argument["value"].(string)))
	w.look("app-image-new")
	w.do("create it", browser.Press("Create image"), browser.Shows("h1", "hello"), browser.Shows("main", "Not built yet"))
}

func (w *walk) destination() string { return house.Registry + "/" + w.login + "/hello" }

// build starts a build and follows it to its end, all on its page, and copies what it made.
func (w *walk) build() {
	w.t.Helper()
	w.do("start a build", browser.Press("Build now"), browser.Shows("h1", "#1"))
	w.see("it in the queue", status, "Queued")
	controller(w.t) // not before: the build would not wait
	w.gate.await(w.t, 1)
	w.see("it run", status, "Running")
	w.see("the log so far", lines, "at the gate")
	w.look("app-build-running")
	w.gate.answer(w.t, true)
	w.see("the log's end", lines, "through the gate")
	w.see("it succeed", status, "Succeeded")
	digest, err := house.Digest(within(w.t, patience), w.login+"/hello", "latest")
	if err != nil || digest == "" {
		w.t.Fatalf("the registry has %q (%v)", digest, err)
	}
	w.copies("Copy the digest", digest)
	w.copies("Copy the pull command", "docker pull "+w.destination()+"@"+digest)
	w.look("app-build")
	w.do("go back", browser.Back(), browser.Shows("table", "Succeeded"))
	w.look("app-image")
	w.do("go to all images", menu("/"), browser.Shows("main li", "Succeeded"))
	w.checkOneSocket()
	w.look("app-images")
}

// failBuild sees usage rise when a build ends that fails, and reads why it did.
func (w *walk) failBuild() {
	w.t.Helper()
	w.do("start another one", browser.Press("Build hello"), browser.Shows("h1", "#2"))
	w.gate.await(w.t, 1)
	w.do("see it run for a while", browser.Shows(status, "Running"),
		browser.Holds(`/Running for([2-9]|\d\d+) s|Running for\d+ min/.test(document.querySelector("main dl").textContent)`))
	w.checkOneSocket()
	w.do("look at the usage", menu("/usage"), browser.Visible("main svg.recharts-surface"))
	before := w.usage("1", -1)
	w.gate.answer(w.t, false)
	w.usage("2", before)
	w.checkOneSocket()
	w.look("app-usage")
	w.do("go back", browser.Back(), browser.Shows("h1", "#2"))
	w.see("that it failed", status, "Failed")
	w.see("why", `main [role="alert"]`, "exit status 3")
	w.see("what it said last", lines, "turned away at the gate")
	w.look("app-build-failed")
}

// usage waits until the page shows that many builds, and the minutes that Stripe has counted, which are more than so many
// seconds; it gives Stripe's seconds.
func (w *walk) usage(builds string, above int64) (seconds int64) {
	w.t.Helper()
	w.see("the builds", "main tfoot td:last-child", builds)
	eventually(w.t, func() (err error) {
		if seconds, err = house.Stripe.Metered(w.t.Context(), w.login); err != nil {
			return err
		}
		want := strconv.FormatFloat(math.Round(float64(seconds)/60*100)/100, 'f', -1, 64)
		shown := w.evaluate(`document.querySelector("main tfoot td").textContent`)
		if shown != want || seconds <= above {
			err = fmt.Errorf("the page shows %s minutes, Stripe has counted %d s, want more than %d s", shown, seconds, above)
		}
		return err
	})
	return seconds
}

// cancelBuild runs what failed again, and cancels it.
func (w *walk) cancelBuild() {
	w.t.Helper()
	w.do("build it again", browser.Press("Build again"), browser.Shows("h1", "#3"))
	w.gate.await(w.t, 1)
	w.see("it run", status, "Running")
	w.do("cancel it", browser.Press("Cancel build"))
	w.see("its end", status, "Cancelled")
}

// buyPlan changes the plan at Stripe's page.
func (w *walk) buyPlan() {
	w.t.Helper()
	w.do("go to the plans", menu("/plan"), browser.Shows("main [data-present]", "Free"), browser.Shows("main", "Switch to Scale"))
	w.look("app-plan")
	w.do("choose one", browser.Press("Switch to Team"), browser.Shows("h1", "Team"))
	w.do("pay", browser.Press("Pay"), browser.Visible("header nav"))
	w.backAt(w.url + "/plan?checkout=success")
	w.see("the new plan", "main [data-present]", "Team")
	w.checkOneSocket()
}

// useToken makes an access token, and ends it: it works elsewhere until then, and the page works on.
func (w *walk) useToken() {
	w.t.Helper()
	w.do("go to the settings", menu("/settings"), browser.Shows("h1", "Settings"))
	w.look("app-settings")
	w.do("give no name", browser.Press("Create token"), browser.Shows("#main form", "Must have"))
	w.do("make a token", browser.Fill("Name", "deploy"), browser.Press("Create token"), browser.Visible("#main [role=group]"))
	token := w.once("tokens")[0]
	script := (&client.Client{HTTP: &http.Client{Transport: bearer(token)}}).At(w.url)
	viewer := client.Request{Query: `{ viewer { login } }`}
	if err := script.Do(within(w.t, patience), viewer, nil); err != nil {
		w.t.Errorf("with the token: %v", err)
	}
	w.checkOnce(token)
	w.do("end all tokens", browser.Press("Revoke all tokens"), browser.Press("Revoke all"), noDialog, browser.Shows("#main [role=status]", "All tokens are revoked"))
	var refused client.Errors
	if err := script.Do(within(w.t, patience), viewer, nil); !errors.As(err, &refused) || refused[0].Extensions.Code != "UNAUTHENTICATED" {
		w.t.Errorf("with the revoked token: %v, want UNAUTHENTICATED", err)
	}
	w.do("be signed in still", menu("/"), browser.Shows("main li", "Cancelled"))
}

func (w *walk) signOut() {
	w.t.Helper()
	w.do("sign out", browser.Press(w.login), browser.Press("Sign out"), browser.Shows("h2", "Sign in"))
}

// look is checkLook on a laptop, which looks at the page on a phone too; whoever is on a phone holds that the page is as wide.
func (w *walk) look(name string) {
	w.t.Helper()
	if w.size == phone {
		w.checkWidth(name)
		return
	}
	w.checkLook(name)
}

// menu goes to a page by the menu that is on every one.
func menu(path string) browser.Step { return browser.Click(`header nav a[href="` + path + `"]`) }

// copies presses a button that copies a text.
func (v *visitor) copies(button, text string) {
	v.t.Helper()
	v.do(button, browser.Press(button))
	eventually(v.t, func() error {
		got, err := v.Clipboard(v.t.Context())
		if err == nil && got != text {
			err = fmt.Errorf("the clipboard has %q, want %q", got, text)
		}
		return err
	})
}

// checkOneSocket holds that all that moves on the page comes by one WebSocket: the visitor is alone at the gateway.
func (v *visitor) checkOneSocket() {
	v.t.Helper()
	eventually(v.t, func() error {
		metrics, err := client.New(v.url).Send(v.t.Context(), http.MethodGet, "/metrics", "", nil)
		if err == nil && !strings.Contains(string(metrics.Body), "\ndrydock_websocket_connections 1\n") {
			err = errors.New("the page has not one WebSocket open")
		}
		return err
	})
}

// signInAt opens a page's address and signs in there.
func (v *visitor) signInAt(path, login string) {
	v.t.Helper()
	v.do("open "+path, browser.Open(v.url+path), browser.Visible(`input[name="login"]`))
	v.do("sign in", browser.Fill("GitHub login", login), browser.Press("Sign in"), browser.Visible("header nav"))
}
