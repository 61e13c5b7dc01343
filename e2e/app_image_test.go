package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"drydock.dev/drydock/e2e/browser"
)

// noDialog waits until nothing lies over the page: what is clicked before, the dialog's veil gets.
var noDialog = browser.Holds(`!document.querySelector("[role=dialog]")`)

// TestAppImage sets all that an image has besides its definition: how its private repository is read, by token and by key, a
// build secret, the badge, a webhook, and each trigger. A push then builds, and the build says what started it and that the webhook was told.
func TestAppImage(t *testing.T) {
	g := gateway(t)
	controller(t, "--webhook-hosts", "127.0.0.1", "--public-url", g.URL)
	mary := signIn(t, g.URL, "mary")
	image, repository := mary.createLocked("hello", "kept-in-git")
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	v := visit(t, g.URL)
	v.signInAt("/images/hello/secrets", mary.login)

	v.do("give a token for the repository", browser.Fill("Username", mary.login), browser.Fill("Token", "kept-in-git"), browser.Press("Try and save"))
	v.see("whose it is", "#main li", "A token of "+mary.login)
	v.setBuildSecret()
	v.checkLook("app-image-secrets")
	v.showBadge()
	v.setWebhook(receiver.URL)
	v.checkLook("app-image-signals")
	v.failToSave()
	hook := v.setTriggers()
	v.checkLook("app-image-triggers")
	hook.Repository = repository

	commit, err := house.Commit(within(t, patience), mary.login, "main", "A change", fstest.MapFS{"hello": {Data: []byte("again\n")}})
	if err != nil {
		t.Fatal(err)
	}
	if status, words := hook.deliver(t, "d-"+mary.login, "refs/heads/main", commit); status != http.StatusOK {
		t.Fatalf("%d %s", status, words)
	}
	builds := mary.triggeredBuilds(image, 1)
	if builds[0].Phase != "SUCCEEDED" || builds[0].Commit != commit {
		t.Fatalf("%+v, want commit %s", builds[0], commit)
	}
	v.do("go to the build", browser.Press("Builds"), browser.Shows("table", "Push"), browser.Press("#1"))
	v.see("who pushed", "#main dl", "grace pushed to main: A change")
	v.see("that the webhook was told", "#main dl", "Delivered")
	v.setDeployKey(mary)
	v.checkLoads("/images/hello/secrets", "/images/hello/secrets")
	v.checkQuiet()
}

// createLocked makes an image of a repository, named by the actor's login, that wants a token.
func (a *actor) createLocked(name, token string) (image, repository string) {
	a.t.Helper()
	open, err := house.Repository(within(a.t, patience), a.login, fstest.MapFS{"Dockerfile": {Data: []byte("FROM scratch\nCOPY hello /\n")}, "hello": {Data: []byte("hello\n")}})
	if err != nil {
		a.t.Fatal(err)
	}
	repository = a.lockGit(open, token)
	return a.createImage(name, repository), repository
}

// setBuildSecret tries a key that there cannot be, keeps a secret, and deletes another.
func (v *visitor) setBuildSecret() {
	v.t.Helper()
	v.do("a key with a blank", browser.Fill("Key", "no blanks"), browser.Fill("Value", "swordfish"), browser.Press("Save secret"))
	v.see("what is wrong with it", "#main form", "Must be letters")
	for _, key := range []string{"lost", "npm_token"} {
		v.do("keep "+key, browser.Fill("Key", key), browser.Fill("Value", "swordfish"), browser.Press("Save secret"), browser.Shows("#main [role=status]", key+" is kept"))
	}
	v.do("delete one", browser.Press("Delete the secret lost"), browser.Shows("[role=dialog]", "Delete the secret lost?"), browser.Press("Delete"), noDialog)
	v.do("see it gone, and no value anywhere", browser.Holds(`document.querySelectorAll("section[aria-labelledby=build-secrets] li").length === 1 &&
		!document.documentElement.innerHTML.includes("swordfish") &&
		![...document.querySelectorAll("input, textarea")].some(each => each.value.includes("swordfish"))`))
}

// showBadge lets everybody see the badge, and sees it drawn.
func (v *visitor) showBadge() {
	v.t.Helper()
	v.do("let everybody see the badge", browser.Press("Badge and webhook"), browser.Toggle("Everybody may see the badge"))
	v.see("what a README needs", "#main code", "![hello]("+v.url+"/badge/")
	v.do("see the picture", browser.Holds(`document.querySelector("img[alt^='The badge']")?.naturalWidth > 50`))
}

// setWebhook gives a wrong address and a right one, whose secret shows once.
func (v *visitor) setWebhook(url string) {
	v.t.Helper()
	v.do("an address inside the cluster", browser.Fill("Address", "http://10.0.0.1/hook"), browser.Press("Save webhook"), browser.Shows("#main form", "Must "))
	v.do("a right one", browser.Fill("Address", url+"/hook"), browser.Press("Save webhook"))
	v.see("its secret", "#main [role=group]", "The webhook’s secret")
	secret := v.once("webhook")[0]
	if len(secret) != 64 {
		v.t.Errorf("the webhook's secret is %q", secret)
	}
	v.checkOnce(secret)
	v.see("the address", "#main li", url+"/hook")
}

// failToSave saves what is not legal: the form keeps what was typed, and says what is wrong where it is wrong.
func (v *visitor) failToSave() {
	v.t.Helper()
	v.do("save a context outside of the repository", browser.Click(`[role="tab"][id$="-settings"]`), browser.Fill("Context", "../secrets"),
		browser.Fill("Branch, tag or commit", "next"), browser.Press("Save"))
	v.do("see what is wrong, and all that was typed", browser.Holds(`(() => {
		const field = name => [...document.querySelectorAll("#main label")].find(each => each.textContent === name).control;
		const context = field("Context");
		return context.value === "../secrets" && field("Branch, tag or commit").value === "next" && context.getAttribute("aria-invalid") === "true" &&
			document.getElementById(context.getAttribute("aria-describedby").split(" ").find(each => each.endsWith("-error")))?.textContent.length > 10;
	})()`))
	v.checkLook("app-image-settings")
}

// setTriggers turns all triggers on, makes a second secret for pushes, and gives it.
func (v *visitor) setTriggers() (hook pushHook) {
	v.t.Helper()
	v.do("build at each push", browser.Press("Triggers"), browser.Toggle("Build at each push"))
	v.see("what GitHub needs", "#main [role=group]", "Add webhook")
	first := v.once("push")
	v.do("make a new secret", browser.Press("I have it"), browser.Press("New secret"), browser.Press("Make it"), browser.Visible("#main [role=group]"), noDialog)
	second := v.once("push")
	if len(first) != 2 || len(second) != 2 || first[1] == second[1] || first[0] != second[0] {
		v.t.Fatalf("at first %q, then %q: want one URL and two secrets", first, second)
	}
	v.checkOnce(second[1])
	v.see("the URL for ever", "#main code", second[0])

	v.do("no schedule", browser.Fill("Cron line", "now and then"), browser.Press("Save schedule"), browser.Shows("#main form", "Must be a cron line"))
	v.do("a schedule", browser.Fill("Cron line", "30 4 * * 1-5"), browser.Shows("#main form", "At 04:30, Monday through Friday, UTC"), browser.Press("Save schedule"))
	v.see("the next run", "#main section", "Next on")
	v.do("watch base images", browser.Toggle("Build when a base image moves"),
		browser.Holds(`[...document.querySelectorAll("#main [role=switch]")].every(each => each.checked && !each.disabled)`))
	return pushHook{URL: second[0], Secret: second[1]}
}

// once are the texts that a part of the page shows this once.
func (v *visitor) once(part string) (texts []string) {
	v.t.Helper()
	text := v.evaluate(fmt.Sprintf(`JSON.stringify([...document.querySelectorAll("[aria-labelledby=%s] [role=group] code:has(+ button)")].map(each => each.textContent))`, part))
	if err := json.Unmarshal([]byte(text), &texts); err != nil || len(texts) == 0 {
		v.t.Fatalf("%s shows %s (%v)", part, text, err)
	}
	return texts
}

// checkOnce holds that a secret is nowhere once somebody has it.
func (v *visitor) checkOnce(secret string) {
	v.t.Helper()
	v.do("have the secret", browser.Press("I have it"), browser.Holds(`!document.documentElement.innerHTML.includes("`+secret+`")`))
}
