package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/browser"
	"github.com/chromedp/chromedp"
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
	v.do("open", browser.Prefer("light"), chromedp.Navigate(g.URL+"/"), browser.Shows("h2", "Sign in"))
	v.picture("app-sign-in")
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
	v.picture("app-build-running")
	gate.open()
	v.see("the log's end", lines, "through the gate")
	v.see("it succeed", status, "Succeeded")
	digest, err := house.Digest(within(t, patience), login+"/hello", "latest")
	if err != nil || digest == "" {
		t.Fatalf("the registry has %q (%v)", digest, err)
	}
	v.see("the digest that the registry has", "code", digest)
	v.picture("app-build")

	v.do("go back", chromedp.NavigateBack(), browser.Shows("table", "Succeeded"))
	v.picture("app-image")
	v.do("go to the settings", browser.Click(`[role="tab"][id$="-settings"]`), browser.Shows("main", "Destination"))
	v.do("go to all images", browser.Press("Images"), browser.Shows("main li", "Succeeded"))
	v.picture("app-images")
	v.do("sign out", browser.Press(login), browser.Press("Sign out"), browser.Visible(`input[name="login"]`))
	v.checkWitness("/", 3) // the first time, with the new session, and without it
}

// picture keeps how the page looks, light and dark, in docs/images where E2E_SCREENSHOTS asks for it.
func (v *visitor) picture(name string) {
	v.t.Helper()
	if os.Getenv("E2E_SCREENSHOTS") == "" {
		return
	}
	v.do("be of a laptop's size", chromedp.EmulateViewport(1280, 800))
	for _, scheme := range []string{"dark", "light"} {
		v.do("look "+scheme, browser.Prefer(scheme), browser.Holds(`document.documentElement.dataset.mantineColorScheme === "`+scheme+`"`),
			browser.Holds(`document.getAnimations().every(each => each.effect.getTiming().iterations === Infinity)`))
		shot, err := v.Picture(within(v.t, 10*time.Second))
		if err != nil {
			v.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("../docs/images", name+"-"+scheme+".png"), shot, 0o600); err != nil {
			v.t.Fatal(err)
		}
	}
}
