package resolvers_test

import (
	"slices"
	"strings"
	"testing"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestAdministrators see other accounts and walk down from there; each use is one
// line in the log.
func TestAdministrators(t *testing.T) {
	h := newHouse(t)
	root, ada := h.signUpAdmin("root"), h.signUp("ada")
	hers := h.furnish(ada, "web")
	cases := []struct {
		reason  string
		query   string
		as      string
		code    fault.Kind
		audited string
	}{
		{"an administrator sees any account", `{ account(login: "` + strings.ToUpper(ada) + `") { login } }`, root, "", "account"},
		{"and walks down into its images", `{ account(login: "` + ada + `") { images { edges { node { name builds { edges { node { phase log { complete } } } } } } } } }`, root, "", "account"},
		{"a login that nobody has", `{ account(login: "nobody-at-all") { login } }`, root, fault.NotFound, "account"},
		{"an administrator lists accounts", `{ accounts(first: 100) { edges { node { login } } } }`, root, "", "accounts"},
		{"an administrator opens any account by id", `{ node(id: "` + model.EncodeID(model.KindAccount, ada) + `") { id } }`, root, "", "node"},
		{"a page of accounts ends at 100", `{ accounts(first: 101) { edges { node { login } } } }`, root, fault.BadUserInput, "accounts"},
		{"an id of another account's build stays closed", `{ node(id: "` + hers.build + `") { id } }`, root, fault.NotFound, ""},
		{"users do not see accounts", `{ account(login: "` + root + `") { login } }`, ada, fault.Forbidden, "account"},
		{"not even by that way their own", `{ account(login: "` + ada + `") { login } }`, ada, fault.Forbidden, "account"},
		{"users do not list accounts", `{ accounts { edges { node { login } } } }`, ada, fault.Forbidden, "accounts"},
		{"users do not open accounts by id", `{ node(id: "` + model.EncodeID(model.KindAccount, root) + `") { id } }`, ada, fault.NotFound, ""},
		{"their own they do", `{ node(id: "` + model.EncodeID(model.KindAccount, ada) + `") { id } }`, ada, "", ""},
	}
	for _, c := range cases {
		h.audit.Reset()
		got := h.as(c.as).ask(c.query, nil)
		if c.code == "" && (len(got.Codes) > 0 || empty(got.Data)) || c.code != "" && !slices.Equal(got.Codes, []string{string(c.code)}) {
			t.Errorf("%s: %+v, want %q", c.reason, got, c.code)
		}
		lines := strings.Count(h.audit.String(), "msg=audit")
		switch {
		case c.audited == "" && lines != 0:
			t.Errorf("%s: audited: %s", c.reason, h.audit)
		case c.audited != "" && (lines != 1 || !strings.Contains(h.audit.String(), "who="+c.as+" what="+c.audited)):
			t.Errorf("%s: log %q, want one line of who=%s what=%s", c.reason, h.audit, c.as, c.audited)
		}
	}
}
