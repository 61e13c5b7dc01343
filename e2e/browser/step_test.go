package browser_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/browser"
)

// checkSteps does what people do, in a page whose Content-Security-Policy is as strict as the app's.
func checkSteps(t *testing.T, b *browser.Browser, url string) {
	ctx, page := within(t), visit(t, b, url+"/steps.html")
	for _, c := range []struct {
		reason string
		steps  []browser.Step
	}{
		{"a window of a size", []browser.Step{browser.Size(390, 844), browser.Holds(`innerWidth === 390 && innerHeight === 844`)}},
		{"a button by its whole name", []browser.Step{browser.Press("Save"), browser.Shows("#pressed", "Pressed: save")}},
		{"a button by its label", []browser.Step{browser.Press("Close"), browser.Shows("#pressed", "icon")}},
		{"an element by a selector", []browser.Step{browser.Click("[data-name='save all']"), browser.Shows("#pressed", "save all")}},
		{"a link", []browser.Step{browser.Press("There"), browser.Holds(`location.hash === "#there"`)}},
		{"a switch by its label", []browser.Step{browser.Toggle("Is on"), browser.Holds(`document.getElementById("switch").checked`)}},
		{"a field by its label", []browser.Step{browser.Fill("Text", "new"), browser.Holds(`document.getElementById("text").value === "new"`), browser.Focused("label")}},
		{"keys", []browser.Step{browser.Key("End"), browser.Type("er"), browser.Holds(`document.getElementById("text").value === "newer"`)}},
		{"the next field by Tab", []browser.Step{browser.TabTo("Search"), browser.Paste("pasted"), browser.Holds(`document.getElementById("search").value === "pasted"`)}},
		{"any sign in a text, whatever the white space", []browser.Step{browser.Shows("p", `{"a": ["b/c >>'d'\"]} é`)}},
		{"a color scheme", []browser.Step{browser.Prefer("dark"), browser.Holds(`matchMedia("(prefers-color-scheme: dark)").matches`)}},
		{"another page, and back", []browser.Step{browser.Open(url + "/complaints.js"), browser.Back(), browser.Reload(), browser.Visible("#text")}},
	} {
		if err := page.Do(ctx, c.steps...); err != nil {
			t.Errorf("%s: %v", c.reason, err)
		}
	}
	copied, err := page.Evaluate(ctx, `navigator.clipboard.writeText("copied").then(() => "")`)
	if text, reading := page.Clipboard(ctx); err != nil || copied != "" || text != "copied" {
		t.Errorf("the clipboard has %q (%v, %v)", text, err, reading)
	}
	if complaints := page.Complaints(); len(complaints) > 0 {
		t.Errorf("the page complains: %q", complaints)
	}
}

// checkFailures holds that a step that cannot be done says which one that is.
func checkFailures(t *testing.T, b *browser.Browser, url string) {
	ctx, page := within(t), visit(t, b, url+"/steps.html")
	for _, c := range []struct {
		step         browser.Step
		want, reason string
	}{
		{browser.Press("Sav"), "click button, link, tab or menu item Sav", "a part of a name is none"},
		{browser.Press("Pay"), "Pay", "what is disabled cannot be pressed"},
		{browser.Visible("[hidden]"), "see [hidden]", "what is hidden is not seen"},
		{browser.Shows("p", "PRESSED"), `see p show "PRESSED"`, "small and capital letters differ"},
		{browser.Fill("Nothing", "x"), "fill Nothing", "no such field"},
		{browser.Toggle("Is"), "click switch Is", "no such switch"},
		{browser.Holds("false"), "wait for false", "what never is"},
		{browser.Holds("nothing.at.all"), "wait for nothing.at.all", "what cannot be asked"},
		{browser.Open("http://127.0.0.1:1/"), "open http://127.0.0.1:1/", "nobody is there"},
	} {
		short, done := context.WithTimeout(ctx, 200*time.Millisecond)
		if err := page.Do(short, c.step); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.reason, err, c.want)
		}
		done()
	}
}
