package resolvers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestTheNextOwnerSeesNothing: whoever has a login next sees the account, and nothing of
// what the former owner left; the words tell an administrator what to do.
func TestTheNextOwnerSeesNothing(t *testing.T) {
	h := newHouse(t)
	login := h.signUp("ada")
	left := h.furnish(login, "web")
	former, err := h.billing.Account(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	h.stripe(http.MethodDelete, "/v1/customers/"+former.CustomerID, "", "")
	h.billing.HearAll()
	account, err := h.billing.SignUp(t.Context(), model.Identity{Login: login, GithubID: 2})
	if err != nil || account.CustomerID == former.CustomerID {
		t.Fatal(account, err)
	}
	next := h.as(login)
	next.customer = account.CustomerID
	if got := next.ask(`{ viewer { login plan { name } usage { buildSeconds } } }`, nil); len(got.Codes) > 0 {
		t.Errorf("the account itself: %+v", got)
	}
	image := model.EncodeID(model.KindImage, login, "web")
	for _, query := range []string{
		`{ viewer { images { edges { node { name } } } } }`,
		`{ viewer { builds { edges { node { id } } } } }`,
		`{ viewer { registryCredentials { registry } } }`,
		`{ viewer { usage { daily { builds } } } }`,
		`{ image(name: "web") { name } }`,
		`{ build(id: "` + left.build + `") { log { complete } } }`,
		`{ node(id: "` + image + `") { id } }`,
		`{ node(id: "` + left.build + `") { id } }`,
		`mutation { createImage(input: { name: "mine", source: { repository: "https://git.example.com/a.git" }, destination: "registry.example.com/a" }) { image { id } } }`,
		`mutation { startBuild(input: { image: "` + image + `" }) { build { id } } }`,
		`mutation { retryBuild(input: { id: "` + left.build + `" }) { build { id } } }`,
		`mutation { cancelBuild(input: { id: "` + left.build + `" }) { build { id } } }`,
		`mutation { deleteImage(input: { id: "` + image + `" }) { deletedID } }`,
		`subscription { buildChanged { id } }`,
		`subscription { imageChanged(id: "` + image + `") { id } }`,
		`subscription { buildLog(id: "` + left.build + `") { text } }`,
	} {
		got := next.ask(query, nil)
		if len(got.Codes) == 0 || slices.ContainsFunc(got.Codes, func(code string) bool { return code != string(fault.Conflict) }) {
			t.Errorf("%s: %+v, want CONFLICT", query, got)
			continue
		}
		if !strings.Contains(got.Words[0], "former owner") || !strings.Contains(got.Words[0], account.CustomerID) {
			t.Errorf("%s: %q does not say what to do", query, got.Words[0])
		}
	}
}
