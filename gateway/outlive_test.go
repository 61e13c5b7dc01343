package gateway_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/graph/model"
)

// operator makes a request of an operator's at Stripe.
func (f *fleet) operator(t *testing.T, method, path string, fields url.Values) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, f.stripe.URL+path, strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("sk_test_operator", "")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
}

// signUp is an account of a GitHub user's, and its cookie.
func (r *replica) signUp(t *testing.T, id model.Identity) (account *model.Account, cookie string) {
	t.Helper()
	account, err := r.money.SignUp(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return account, r.signInAs(t, id.Login)
}

// TestSessionsEndWithTheirAccount: neither a session nor an open stream of it becomes one
// of the login's next owner.
func TestSessionsEndWithTheirAccount(t *testing.T) {
	f := newFleet(t, 1)
	r := f.replicas[0]
	old, cookie := r.signUp(t, model.Identity{Login: "ada", GithubID: 1})
	stream := r.dial(t, cookie)
	stream.begin()

	f.operator(t, http.MethodDelete, "/v1/customers/"+old.CustomerID, nil)
	r.money.HearAll()
	got := r.query(t, `{plans{name}}`, cookie)
	if got.status != http.StatusUnauthorized || got.code(t) != "UNAUTHENTICATED" || !strings.Contains(got.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("what asks for no account, after the account is gone: %d %s %v", got.status, got.body, got.header)
	}
	fresh, mine := r.signUp(t, model.Identity{Login: "ada", GithubID: 2})
	if fresh.CustomerID == old.CustomerID {
		t.Fatal("the next owner has the old account")
	}
	stream.expectClose(4403)
	for _, query := range []string{`{viewer{login}}`, `mutation{createAccessToken(input:{name:"steal"}){token}}`} {
		if got := r.query(t, query, cookie); got.status != http.StatusUnauthorized {
			t.Errorf("%s by the old session: %d %s", query, got.status, got.body)
		}
	}
	if got := r.query(t, "{viewer{login}}", mine); got.login(t) != "ada" {
		t.Errorf("the next owner's session: %d %s", got.status, got.body)
	}
}

// TestStreamsSeeTheNextOwner: also where delete and next sign-up are heard of at once.
func TestStreamsSeeTheNextOwner(t *testing.T) {
	f := newFleet(t, 2)
	here, there := f.replicas[0], f.replicas[1]
	old, cookie := here.signUp(t, model.Identity{Login: "ada", GithubID: 1})
	stream := here.dial(t, cookie)
	stream.begin()
	f.operator(t, http.MethodDelete, "/v1/customers/"+old.CustomerID, nil)
	there.money.HearAll()
	there.signUp(t, model.Identity{Login: "ada", GithubID: 2}) // tells here
	stream.expectClose(4403)
}

// TestMissedRevocations: a replica that may have missed the end of a token or of a role
// takes neither while Stripe gives no newer account; sessions go on.
func TestMissedRevocations(t *testing.T) {
	f := newFleet(t, 1)
	r := f.replicas[0]
	account, cookie := r.signUp(t, model.Identity{Login: "ada"})
	f.operator(t, http.MethodPost, "/v1/customers/"+account.CustomerID, url.Values{"metadata[drydock.role]": {"admin"}})
	r.money.HearAll()
	token := r.token(t, cookie, `name:"ci"`)
	kept := r.token(t, cookie, `name:"kept"`)
	const asAdmin = `{account(login:"ada"){login}}`
	if got := r.query(t, asAdmin, cookie); got.code(t) != "" {
		t.Fatal(got.body)
	}
	other, err := billing.New(billing.Options{Key: "sk_test_gateway", APIBase: f.stripe.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.RaiseTokenEpoch(t.Context(), "ada", "once"); err != nil {
		t.Fatal(err)
	}
	r.cut.Store(true)
	if got := r.query(t, "{viewer{login}}", token); got.login(t) != "ada" {
		t.Errorf("nothing tells that something was missed: %d %s", got.status, got.body)
	}
	r.money.HearAll()
	for range 2 {
		if got := r.query(t, "{viewer{login}}", token); got.status != http.StatusServiceUnavailable || got.code(t) != "UNAVAILABLE" {
			t.Errorf("a token while nobody knows: %d %s", got.status, got.body)
		}
		if got := r.query(t, asAdmin, cookie); got.code(t) != "UNAVAILABLE" {
			t.Errorf("an administrator while nobody knows: %d %s", got.status, got.body)
		}
		if got := r.query(t, "{viewer{login}}", cookie); got.login(t) != "ada" {
			t.Errorf("a session: %d %s", got.status, got.body)
		}
	}
	r.cut.Store(false)
	eventually(t, "the token is refused", func() bool {
		return r.query(t, "{viewer{login}}", kept).status == http.StatusUnauthorized
	})
	if got := r.query(t, asAdmin, cookie); got.code(t) != "" {
		t.Errorf("the administrator again: %s", got.body)
	}
}

// TestRefusedTokensCostNothing beyond one look at the account.
func TestRefusedTokensCostNothing(t *testing.T) {
	f := newFleet(t, 1)
	r := f.replicas[0]
	account, cookie := r.signUp(t, model.Identity{Login: "ada"})
	r.revoke(t, cookie)
	token := r.token(t, cookie, `name:"ci"`)
	f.operator(t, http.MethodDelete, "/v1/customers/"+account.CustomerID, nil)
	r.money.HearAll()
	r.signUp(t, model.Identity{Login: "ada", GithubID: 2})
	for name, proof := range map[string]string{"token": token, "session": cookie} {
		r.query(t, "{viewer{login}}", proof)
		asked := r.costs(func() {
			for range 20 {
				if got := r.query(t, "{viewer{login}}", proof); got.status != http.StatusUnauthorized {
					t.Fatalf("a %s of the account before: %d %s", name, got.status, got.body)
				}
			}
		})
		if len(asked) != 0 {
			t.Errorf("20 refusals of a %s asked Stripe: %q", name, asked)
		}
	}
}
