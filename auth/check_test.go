package auth_test

import (
	"testing"
	"time"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestCheckSessions: a session is its account's, and no later one's of the login.
func TestCheckSessions(t *testing.T) {
	session := auth.Viewer{Login: "ada", CustomerID: "cus_1", GithubID: 1}
	tests := []struct {
		reason     string
		viewer     auth.Viewer
		held, true model.Account
		down       bool
		kind       fault.Kind
	}{
		{reason: "its account", viewer: session, held: ada, true: ada},
		{reason: "one of somebody whom GitHub did not sign in", viewer: auth.Viewer{Login: "ada", CustomerID: "cus_1"}, held: ada, true: ada},
		{reason: "one from before sessions told their account", viewer: auth.Viewer{Login: "ada", GithubID: 1}, held: ada, true: ada, kind: fault.Unauthenticated},
		{
			reason: "another customer has the login", viewer: session, kind: fault.Unauthenticated,
			held: model.Account{Login: "ada", CustomerID: "cus_2", GithubID: 1}, true: model.Account{Login: "ada", CustomerID: "cus_2", GithubID: 1},
		},
		{
			reason: "an administrator released the login", viewer: session, kind: fault.Unauthenticated,
			held: model.Account{Login: "ada", CustomerID: "cus_1"}, true: model.Account{Login: "ada", CustomerID: "cus_1"},
		},
		{
			reason: "another GitHub user has it since", viewer: session, kind: fault.Unauthenticated,
			held: model.Account{Login: "ada", CustomerID: "cus_1", GithubID: 2}, true: model.Account{Login: "ada", CustomerID: "cus_1", GithubID: 2},
		},
		{
			reason: "this replica has not heard of the session's account yet", viewer: session,
			held: model.Account{Login: "ada", CustomerID: "cus_0"}, true: ada,
		},
		{reason: "nobody knows just now", viewer: session, down: true, kind: fault.Unavailable},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			ledger := newLedger(test.true)
			ledger.change(func() {
				ledger.held["ada"] = test.held
				if test.down {
					ledger.down = &fault.Error{Kind: fault.Unavailable}
				}
			})
			err := auth.NewTokens(parse(t, key(1)), ledger, time.Now).Check(t.Context(), test.viewer)
			if (err == nil) != (test.kind == "") || err != nil && fault.KindOf(err) != test.kind {
				t.Errorf("%v, want %q", err, test.kind)
			}
		})
	}
}

// TestRefusalsAreRemembered: who comes again with what does not hold costs nothing, until
// the account changes or some time has passed.
func TestRefusalsAreRemembered(t *testing.T) {
	clock, ledger := &clock{now: time.Unix(1_800_000_000, 0)}, newLedger(ada)
	tokens := auth.NewTokens(parse(t, key(1)), ledger, clock.Now)
	text := issue(t, tokens, auth.TokenRequest{Name: "ci", Days: 1}).Text
	become := func(account model.Account) {
		ledger.change(func() { ledger.held["ada"], ledger.true["ada"], ledger.asked = account, account, 0 })
	}
	knock := func(reason string, asked int) {
		t.Helper()
		for range 20 {
			if _, err := tokens.Viewer(t.Context(), text); fault.KindOf(err) != fault.Unauthenticated {
				t.Fatalf("%s: %v", reason, err)
			}
		}
		if ledger.asked != asked {
			t.Errorf("%s: 20 refusals asked %d times, want %d", reason, ledger.asked, asked)
		}
	}
	become(model.Account{Login: "ada", CustomerID: "cus_1", GithubID: 1, TokenEpoch: 5})
	knock("a revoked token", 0)
	become(model.Account{Login: "ada", CustomerID: "cus_2"})
	knock("a token of another account", 1)
	knock("and again", 1)
	clock.move(time.Minute)
	knock("a minute later", 2)
	become(model.Account{Login: "ada", CustomerID: "cus_3"})
	knock("the account is another one", 1)
	become(ada)
	if _, err := tokens.Viewer(t.Context(), text); err != nil {
		t.Errorf("the token's own account is back: %v", err)
	}
}
