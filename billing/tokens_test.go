package billing_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// gate is a way to Stripe that can be shut.
type gate struct{ shut atomic.Bool }

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.shut.Load() {
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "connection refused"}
	}
	return http.DefaultTransport.RoundTrip(r)
}

func raise(t *testing.T, c *billing.Client, login, key string) int64 {
	t.Helper()
	account, err := c.RaiseTokenEpoch(within(t), login, key)
	if err != nil {
		t.Fatal(err)
	}
	return account.TokenEpoch
}

func epochOf(t *testing.T, c *billing.Client, login string) int64 {
	t.Helper()
	account, err := c.Account(within(t), login)
	if err != nil {
		t.Fatal(err)
	}
	return account.TokenEpoch
}

func TestRaiseTokenEpoch(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	c := w.started(t)
	account, err := c.SignUp(within(t), model.Identity{Login: "ada", GithubID: 7})
	if err != nil {
		t.Fatal(err)
	}
	first := raise(t, c, "ada", "")
	second := raise(t, c, "ADA", "once")
	third := raise(t, c, "ada", "")
	if first <= 0 || second <= first || third <= second {
		t.Errorf("%d, %d, %d: each is to be higher", first, second, third)
	}
	if again := raise(t, c, "ada", "once"); again != third {
		t.Errorf("a key that was used before raised %d to %d", third, again)
	}
	if held := epochOf(t, c, "ada"); held != third {
		t.Errorf("Account says %d, want %d", held, third)
	}
	metadata := w.call(t, "GET", "/v1/customers/"+account.CustomerID, nil)["metadata"].(map[string]any)
	if metadata["drydock.token_epoch"] != strconv.FormatInt(third, 10) || metadata["drydock.github_id"] != "7" || metadata["drydock.login"] != "ada" {
		t.Errorf("at Stripe: %v", metadata)
	}
	for _, login := range []string{"nobody", "-"} {
		if _, err := c.RaiseTokenEpoch(within(t), login, ""); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%q: %v, want NOT_FOUND", login, err)
		}
	}
}

// TestTwoRaiseAtOnce: Stripe has no compare-and-set, so that both may begin at the same
// epoch. No two give out the same number, for then the later write of one would make
// tokens hold again that the other ended.
func TestTwoRaiseAtOnce(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	c := w.started(t)
	signUp(t, c, "ada")
	given := make(chan int64, 8)
	for range cap(given) {
		go func() {
			account, err := c.RaiseTokenEpoch(context.WithoutCancel(t.Context()), "ada", "")
			if err != nil {
				t.Error(err)
				given <- -1
				return
			}
			given <- account.TokenEpoch
		}()
	}
	seen := map[int64]bool{}
	for range cap(given) {
		epoch := <-given
		if seen[epoch] {
			t.Errorf("%d was given out twice", epoch)
		}
		seen[epoch] = true
	}
	if last := epochOf(t, c, "ada"); !seen[last] {
		t.Errorf("Account says %d, of %v", last, seen)
	}
}

// TestRevocationReachesTheOthers: a replica that hears of it serves the old epoch to
// nobody, not even while it cannot read the new one.
func TestRevocationReachesTheOthers(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	var others []*billing.Client
	writer := w.started(t, func(o *billing.Options) {
		o.Announce = func(_ context.Context, notices []string) error {
			for _, other := range others {
				other.Hear(notices)
			}
			return nil
		}
	})
	signUp(t, writer, "ada")
	way := &gate{}
	near, far := w.started(t), w.started(t, func(o *billing.Options) { o.HTTP = way })
	others = []*billing.Client{near, far}
	changes, err := near.WatchAccount(within(t), "ada")
	if err != nil {
		t.Fatal(err)
	}
	<-changes
	for _, other := range others {
		if epoch := epochOf(t, other, "ada"); epoch != 0 {
			t.Fatalf("before: %d", epoch)
		}
	}
	way.shut.Store(true)
	raised := raise(t, writer, "ada", "")
	select {
	case <-changes:
	case <-within(t).Done():
		t.Fatal("who watches is not told")
	}
	if epoch := epochOf(t, near, "ada"); epoch != raised {
		t.Errorf("a replica that can ask Stripe says %d, want %d", epoch, raised)
	}
	if account, err := far.Account(within(t), "ada"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("one that cannot: %+v %v, want UNAVAILABLE", account, err)
	}
	unheard := errors.New("the log cannot be written")
	deaf := w.started(t, func(o *billing.Options) {
		o.Announce = func(context.Context, []string) error { return unheard }
	})
	if _, err := deaf.RaiseTokenEpoch(within(t), "ada", "once"); fault.KindOf(err) != fault.Unavailable || !errors.Is(err, unheard) {
		t.Errorf("the others cannot be told: %v, want UNAVAILABLE", err)
	}
	raised = raise(t, writer, "ada", "once") // again, and there they can be told
	if epoch := epochOf(t, near, "ada"); epoch != raised {
		t.Errorf("after it was asked for again: %d, want %d", epoch, raised)
	}
	way.shut.Store(false)
	until(t, "it can ask again", func() bool {
		account, err := far.Account(within(t), "ada")
		return err == nil && account.TokenEpoch == raised
	})
}

// TestWhatAnOperatorTakesAway at Stripe stays away: a replica that read of it serves no old
// value of the account, as it does after changes that take nothing away.
func TestWhatAnOperatorTakesAway(t *testing.T) {
	cases := []struct {
		reason string
		change url.Values
		kind   fault.Kind
	}{
		{"the tokens", url.Values{"metadata[drydock.token_epoch]": {"7"}}, fault.Unavailable},
		{"the administrator's role", url.Values{"metadata[drydock.role]": {""}}, fault.Unavailable},
		{"nothing: the address is another", url.Values{"email": {"ada@example.org"}}, ""},
	}
	for _, test := range cases {
		t.Run(test.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			way := &gate{}
			c := w.started(t, func(o *billing.Options) { o.HTTP = way })
			account := signUp(t, c, "ada")
			w.call(t, "POST", "/v1/customers/"+account.CustomerID, url.Values{"metadata[drydock.role]": {"admin"}, "metadata[drydock.token_epoch]": {"3"}})
			if err := c.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			if account, err := c.Account(within(t), "ada"); err != nil || !account.IsAdmin() || account.TokenEpoch != 3 {
				t.Fatalf("before: %+v %v", account, err)
			}
			w.call(t, "POST", "/v1/customers/"+account.CustomerID, test.change)
			if err := c.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			way.shut.Store(true)
			if account, err := c.Account(within(t), "ada"); (err == nil) != (test.kind == "") || err != nil && fault.KindOf(err) != test.kind {
				t.Errorf("%+v %v, want %q", account, err, test.kind)
			}
		})
	}
}
