package billing_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestAccounts pages through all accounts, newest first, past customers that are not
// accounts.
func TestAccounts(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	var want []string
	for n := range 12 {
		login := fmt.Sprintf("user-%02d", n)
		want = append([]string{login}, want...)
		w.call(t, "POST", "/v1/customers", form("metadata[drydock.login]", login))
		w.clock.Advance(time.Second)
		for range n % 3 {
			w.call(t, "POST", "/v1/customers", form("email", "somebody@example.com"))
		}
	}
	w.call(t, "POST", "/v1/customers", form("metadata[drydock.login]", "user-03")) // a second one
	cases := []struct {
		reason string
		first  int
		pages  int
	}{
		{"one page for all", 100, 1},
		{"exactly all", 12, 1},
		{"some on each", 5, 3},
		{"one on each", 1, 12},
	}
	c := w.started(t)
	for _, tc := range cases {
		t.Run(tc.reason, func(t *testing.T) {
			var got []string
			after, pages := "", 0
			for {
				slice, err := c.Accounts(within(t), model.Page{First: tc.first, After: after})
				if err != nil {
					t.Fatal(err)
				}
				if slice.HasPrevious != (after != "") || slice.Total != -1 || len(slice.Items) != len(slice.Cursors) {
					t.Errorf("page %d: %+v", pages, slice)
				}
				for _, account := range slice.Items {
					got = append(got, account.Login)
				}
				pages++
				if !slice.HasNext || len(slice.Items) == 0 {
					break
				}
				after = slice.Cursors[len(slice.Cursors)-1]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// An exact page may be followed by an empty one: only Stripe's customers follow.
			if pages < tc.pages || pages > tc.pages+1 {
				t.Errorf("%d pages, want %d", pages, tc.pages)
			}
		})
	}
}

func TestAccountsRefused(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	c := w.started(t)
	gone := signUp(t, c, "gone")
	w.call(t, "DELETE", "/v1/customers/"+gone.CustomerID, nil)
	cases := []struct {
		reason string
		page   model.Page
		kind   fault.Kind
	}{
		{"none", model.Page{First: 0}, fault.BadUserInput},
		{"too many", model.Page{First: 101}, fault.BadUserInput},
		{"no cursor of ours", model.Page{First: 1, After: "x"}, fault.BadUserInput},
		{"another list's cursor", model.Page{First: 1, After: model.EncodeCursor("images", "cus_1")}, fault.BadUserInput},
		{"a customer that never was", model.Page{First: 1, After: model.EncodeCursor("accounts", "cus_1")}, fault.Conflict},
	}
	for _, tc := range cases {
		t.Run(tc.reason, func(t *testing.T) {
			if slice, err := c.Accounts(within(t), tc.page); fault.KindOf(err) != tc.kind {
				t.Errorf("got %+v, %v; want %s", slice, err, tc.kind)
			}
		})
	}
	// The deleted customer's cursor still marks its place at the stand-in, as at Stripe
	// the account itself is gone.
	if err := c.CatchUp(within(t)); err != nil {
		t.Fatal(err)
	}
	if account, err := c.Account(within(t), "gone"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a deleted customer is %v, %v", account, err)
	}
}
