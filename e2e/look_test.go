package e2e

import (
	"fmt"
	"os"
	"time"

	"drydock.dev/drydock/e2e/browser"
)

// accessible tells what axe-core finds wrong with the page (https://github.com/dequelabs/axe-core), after its transitions: but for
// GraphiQL's editors and tabs, whose colors and roles are the library's own.
const accessible = `axe.run({include: [document], exclude: [".monaco-editor", ".graphiql-tabs"]}, {resultTypes: ["violations"]}).then(({violations}) =>
	violations.map(each => each.id + ": " + each.nodes.map(node => node.html + " " + node.failureSummary).join("; ")).join("\n"))`

// checkLook holds that the page is accessible in light and in dark, and no wider than a phone. Pictures of it are kept in
// docs/images where E2E_SCREENSHOTS asks for them.
func (v *visitor) checkLook(name string) {
	v.t.Helper()
	v.resize(phone)
	v.checkAccess(name, "phone")
	v.checkWidth(name)
	v.resize(laptop)
	for _, scheme := range []string{"dark", "light"} {
		v.do("look "+scheme, browser.Prefer(scheme), browser.Holds(`document.documentElement.dataset.mantineColorScheme === "`+scheme+`"`))
		v.checkAccess(name, scheme)
	}
	if v.size != laptop && v.size != (size{}) {
		v.resize(v.size)
	}
}

// tooWide tells what reaches beyond the page.
const tooWide = `[...document.querySelectorAll("body *")].filter(each => each.getBoundingClientRect().right > innerWidth).
	map(each => each.outerHTML.slice(0, 200)).join("\n")`

// checkWidth holds that the page, once it is there with its fonts, is no wider than the phone that shows it.
func (v *visitor) checkWidth(name string) {
	v.t.Helper()
	fits := fmt.Sprintf(`document.fonts.status === "loaded" && document.documentElement.scrollWidth === %d`, phone.width)
	if err := v.Do(within(v.t, 30*time.Second), browser.Holds(fits)); err != nil {
		v.t.Errorf("%s is %s pixels wide on a phone of %d: %s", name, v.evaluate(`String(document.documentElement.scrollWidth)`), phone.width, v.evaluate(tooWide))
	}
}

// checkAccess asks axe-core about the page as it is.
func (v *visitor) checkAccess(name, look string) {
	v.t.Helper()
	v.do("wait for the page to be still",
		browser.Holds(`document.getAnimations().every(each => each.effect.getTiming().iterations === Infinity)`))
	if v.evaluate(`typeof axe`) == "undefined" {
		axe, err := os.ReadFile("../web/app/node_modules/axe-core/axe.min.js")
		if err != nil {
			v.t.Fatalf("axe-core is missing: run `make web` (%v)", err)
		}
		v.evaluate(string(axe) + `;""`)
	}
	if found := v.evaluate(accessible); found != "" {
		v.t.Errorf("%s, %s:\n%s", name, look, found)
	}
	v.picture(name + "-" + look)
}

// picture keeps a picture of the page in docs/images, where E2E_SCREENSHOTS asks for it.
func (v *visitor) picture(name string) {
	v.t.Helper()
	if os.Getenv("E2E_SCREENSHOTS") == "" {
		return
	}
	shot, err := v.Picture(within(v.t, patience))
	if err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile("../docs/images/"+name+".png", shot, 0o644); err != nil { //nolint:gosec // a picture for everybody
		v.t.Fatal(err)
	}
}

// evaluate is the text that a JavaScript expression promises.
func (v *visitor) evaluate(expression string) string {
	v.t.Helper()
	text, err := v.Evaluate(within(v.t, patience), expression)
	if err != nil {
		v.t.Fatal(err)
	}
	return text
}
