package e2e

import (
	"testing"

	"drydock.dev/drydock/e2e/browser"
	"drydock.dev/drydock/registry/registrytest"
)

// TestAppRegistries saves a login that the registry tries, after one that it refuses, and deletes it.
func TestAppRegistries(t *testing.T) {
	g := gateway(t)
	joan := signIn(t, g.URL, "joan")
	const password = secretWord + "-of-joan"
	registry := newPrivateRegistry(t, registrytest.Token, joan.login, password)
	v := visit(t, g.URL)
	v.signInAt("/settings", joan.login)

	v.do("a wrong login", browser.Fill("Registry", registry.host), browser.Fill("Username", joan.login), browser.Fill("Password or token", "wrong"), browser.Press("Try and save"))
	v.see("that the registry refuses it", "#main form", "refuse")
	v.do("the right one", browser.Fill("Password or token", password), browser.Press("Try and save"))
	v.see("that the registry takes it", "#main [role=status]", registry.host+" took the login")
	v.see("whose it is", "#main li", joan.login)
	v.do("see no password", browser.Holds(`![...document.querySelectorAll("input")].some(each => each.value.includes("`+password+`"))`))
	v.do("delete it", browser.Press("Delete the credential of "+registry.host), browser.Press("Delete"), noDialog, browser.Shows("#main", "None yet"))

	v.checkQuiet()
}

// TestAppAdministration looks at all accounts as an administrator, and is told why not as somebody else.
func TestAppAdministration(t *testing.T) {
	before := gateway(t)
	margaret, other := signIn(t, before.URL, "margaret"), signIn(t, before.URL, "ida")
	other.createImage("lander", "https://git.example.com/lander.git")
	if err := house.Stripe.Promote(within(t, patience), margaret.login); err != nil {
		t.Fatal(err)
	}
	g := gateway(t) // which has not cached what she was
	v := visit(t, g.URL)
	v.signInAt("/accounts", margaret.login)
	v.see("herself", "table", margaret.login+" Administrator")
	v.checkLook("app-accounts")
	v.do("look at another", browser.Press(other.login), browser.Shows("h1", other.login))
	v.see("the images", "#main li", "lander")
	v.checkLook("app-account")
	v.do("sign out", browser.Press(margaret.login), browser.Press("Sign out"), browser.Visible(`input[name="login"]`))

	v.signInAt("/accounts", other.login)
	v.see("why not", "main", "For administrators only")
	v.checkLook("app-administrators-only")
	v.do("go where there is nothing", browser.Open(v.url+"/nothing"), browser.Shows("main", "There is no such page"))
	v.checkLook("app-not-found")
	v.checkQuiet()
}
