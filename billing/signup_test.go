package billing_test

import (
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

func form(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values
}

// TestSignUpAtOnce has replicas sign up the same logins at the same time, while Stripe
// loses answers and Search sees nothing.
func TestSignUpAtOnce(t *testing.T) {
	w := newWorld(t, billingtest.Options{SearchLag: time.Hour})
	patient := func(o *billing.Options) { o.Retry.Attempts = 12 }
	replicas := []*billing.Client{w.started(t, patient), w.started(t, patient), w.client(t, patient)}
	w.stripe.Inject(
		billingtest.Fault{Match: "POST /v1/customers", Times: 3, DropAfter: true},
		billingtest.Fault{Match: "POST /v1/customers", Times: 2, Status: 500, AfterEffect: true},
		billingtest.Fault{Match: "POST /v1/customers", Times: 2, Status: 429, Code: "lock_timeout"},
		billingtest.Fault{Match: "POST /v1/customers", Times: 10, Latency: 5 * time.Millisecond},
	)
	const logins = 20
	var group sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]map[string]bool{}
	for n := range logins {
		login := fmt.Sprintf("user-%d", n)
		ids[login] = map[string]bool{}
		for i, replica := range replicas {
			group.Go(func() {
				account, err := replica.SignUp(within(t), model.Identity{Login: login, GithubID: int64(n + 1), Email: fmt.Sprintf("%d@example.com", i)})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				ids[login][account.CustomerID] = true
			})
		}
	}
	group.Wait()
	for login, seen := range ids {
		customers := w.stripe.Customers(login)
		if len(customers) != 1 || len(seen) != 1 || !seen[customers[0]] {
			t.Errorf("%s: customers %v, seen as %v; want one", login, customers, seen)
		}
	}
}

// TestSignUp tells who gets which account.
func TestSignUp(t *testing.T) {
	text := func(s string) *string { return &s }
	cases := []struct {
		reason   string
		before   func(t *testing.T, w *world, other *billing.Client)
		identity model.Identity
		want     model.Account
		kind     fault.Kind
		// twins tells that the operator hears of two customers.
		twins bool
	}{
		{
			reason:   "a login is one in any case",
			identity: model.Identity{Login: "Ada", GithubID: 7, Email: "ada@example.com"},
			want:     model.Account{Login: "ada", GithubID: 7, Email: text("ada@example.com"), Role: model.RoleUser},
		},
		{
			reason: "what another replica created is found, though Search does not see it yet",
			before: func(t *testing.T, _ *world, other *billing.Client) {
				_, err := other.SignUp(within(t), model.Identity{Login: "ada", Email: "ada@example.com", GithubID: 7})
				if err != nil {
					t.Fatal(err)
				}
			},
			identity: model.Identity{Login: "ada", GithubID: 7},
			want:     model.Account{Login: "ada", GithubID: 7, Email: text("ada@example.com"), Role: model.RoleUser},
		},
		{
			reason: "a new address replaces the old one",
			before: func(t *testing.T, w *world, _ *billing.Client) {
				w.call(t, "POST", "/v1/customers", form("metadata[drydock.login]", "ada", "email", "old@example.com", "metadata[drydock.role]", "admin", "metadata[drydock.token_epoch]", "3"))
			},
			identity: model.Identity{Login: "ada", GithubID: 7, Email: "new@example.com"},
			want:     model.Account{Login: "ada", GithubID: 7, Email: text("new@example.com"), Role: model.RoleAdmin, TokenEpoch: 3},
		},
		{
			reason: "the older of two customers is the account",
			before: func(t *testing.T, w *world, _ *billing.Client) {
				w.call(t, "POST", "/v1/customers", form("metadata[drydock.login]", "ada", "email", "first@example.com"))
				w.clock.Advance(time.Second)
				w.call(t, "POST", "/v1/customers", form("metadata[drydock.login]", "ada", "email", "second@example.com"))
			},
			identity: model.Identity{Login: "ada"},
			want:     model.Account{Login: "ada", Email: text("first@example.com"), Role: model.RoleUser},
			twins:    true,
		},
		{
			reason: "a deleted account comes back as a new one, within the day that its key is remembered",
			before: func(t *testing.T, w *world, other *billing.Client) {
				for range 2 {
					account := signUp(t, other, "ada")
					w.call(t, "DELETE", "/v1/customers/"+account.CustomerID, nil)
					if err := other.CatchUp(within(t)); err != nil {
						t.Fatal(err)
					}
				}
			},
			identity: model.Identity{Login: "ada", GithubID: 7},
			want:     model.Account{Login: "ada", GithubID: 7, Role: model.RoleUser},
		},
		{
			reason: "a login that GitHub gave to somebody else does not open the old account",
			before: func(t *testing.T, w *world, _ *billing.Client) {
				w.call(t, "POST", "/v1/customers", form("metadata[drydock.login]", "ada", "metadata[drydock.github_id]", "7"))
			},
			identity: model.Identity{Login: "ada", GithubID: 8}, kind: fault.Forbidden,
		},
		{reason: "quotes would leave the search query", identity: model.Identity{Login: "a'b"}, kind: fault.BadUserInput},
		{reason: "an empty login", identity: model.Identity{}, kind: fault.BadUserInput},
		{reason: "a login that GitHub would not give", identity: model.Identity{Login: "-ada"}, kind: fault.BadUserInput},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{SearchLag: time.Hour})
			replica, other := w.started(t), w.started(t)
			if c.before != nil {
				c.before(t, w, other)
			}
			got, err := replica.SignUp(within(t), c.identity)
			if c.kind != "" {
				if fault.KindOf(err) != c.kind {
					t.Errorf("got %v, %v; want %s", got, err, c.kind)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if customers := w.stripe.Customers("ada"); customers[0] != got.CustomerID {
				t.Errorf("the account is %s, the customers %v", got.CustomerID, customers)
			}
			shown := *got
			shown.CustomerID, shown.CreatedAt = "", time.Time{}
			if diff := cmp.Diff(c.want, shown); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if problems := replica.Details()["problems"].([]string); len(problems) > 0 != c.twins {
				t.Errorf("problems %v", problems)
			}
			again, err := replica.Account(within(t), c.identity.Login)
			if diff := cmp.Diff(got, again); diff != "" || err != nil {
				t.Errorf("read again, %v (-signed up +read):\n%s", err, diff)
			}
		})
	}
}
