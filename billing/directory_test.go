package billing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestDirectoryFill reads all customers, however they are spread over time, and whatever
// Stripe does meanwhile; each costs its part of a page, and little more.
func TestDirectoryFill(t *testing.T) {
	const accounts = 1200
	even := func(int) time.Duration { return time.Minute }
	cases := []struct {
		reason string
		// gap is the time before each customer.
		gap    func(n int) time.Duration
		faults []billingtest.Fault
	}{
		{"one by one", even, nil},
		{"all in a second", func(int) time.Duration { return 0 }, nil},
		{"two crowds, years apart", func(n int) time.Duration {
			if n == accounts/2 {
				return 3 * 365 * 24 * time.Hour
			}
			return time.Second
		}, nil},
		{"ever faster", func(n int) time.Duration { return 100 * time.Hour / time.Duration(n+1) }, nil},
		{"Stripe fails now and then", even, []billingtest.Fault{
			{Match: "GET /v1/customers", Times: 3, Status: 500}, {Match: "GET /v1/customers", Times: 2, DropAfter: true},
			{Match: "GET /v1/customers", Times: 3, Status: 429, Reason: "endpoint-rate"},
		}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			w.clock.Set(at("2014-01-01 00:00:00"))
			for n := range accounts {
				w.clock.Advance(c.gap(n))
				w.add(t, fmt.Sprintf("user-%d", n))
			}
			w.stripe.Inject(c.faults...)
			w.stripe.ResetRequests()
			client := w.started(t)
			if got := client.Details()["accounts"]; got != accounts {
				t.Errorf("%v accounts, want %d", got, accounts)
			}
			if pages := w.stripe.Requests()["GET /v1/customers"]; pages > accounts/100+40 {
				t.Errorf("%d pages", pages)
			}
		})
	}
}

// TestReadyBeforeDirectory has the list of customers fail: the client is ready without it,
// and finds accounts one by one, those too that Search does not show yet.
func TestReadyBeforeDirectory(t *testing.T) {
	w := newWorld(t, billingtest.Options{SearchLag: time.Hour})
	for n := range 150 {
		w.call(t, "POST", "/v1/customers", form("metadata[drydock.login]", fmt.Sprintf("user-%d", n)))
	}
	w.clock.Advance(2 * time.Hour)
	w.call(t, "POST", "/v1/customers", form("metadata[drydock.login]", "newest"))
	w.stripe.Inject(billingtest.Fault{Match: "GET /v1/customers", Times: 4, Status: 503})
	c := w.client(t)
	if err := c.Start(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := c.Ready(); err != nil {
		t.Error(err)
	}
	if complete := c.Details()["directoryComplete"].(bool); complete {
		t.Error("the directory is complete, though no page of it came")
	}
	until(t, "the first page failed", func() bool { return w.stripe.Requests()["GET /v1/customers"] >= 4 })
	for _, login := range []string{"user-0", "newest"} {
		if _, err := c.Account(within(t), login); err != nil {
			t.Errorf("%s: %v", login, err)
		}
	}
	until(t, "the directory is complete", func() bool { return c.Details()["directoryComplete"].(bool) })
}

// TestTwins gives a login two customers, by hand: the oldest is the account, it is
// reported, and when the operator sets it right the report ends.
func TestTwins(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
	var ids []string
	for range 3 {
		ids = append(ids, w.call(t, "POST", "/v1/customers", form("metadata[drydock.login]", "ada"))["id"].(string))
		w.clock.Advance(time.Hour)
	}
	registry := prometheus.NewPedanticRegistry()
	c := w.started(t, func(o *billing.Options) { o.Registerer = registry })
	check := func(reason, account string, twins int) {
		t.Helper()
		if err := c.CatchUp(within(t)); err != nil {
			t.Fatal(err)
		}
		got, err := c.Account(within(t), "ada")
		if err != nil || got.CustomerID != account {
			t.Errorf("%s: the account is %+v, %v; want %s", reason, got, err, account)
		}
		if problems := c.Details()["problems"].([]string); len(problems) != twins {
			t.Errorf("%s: problems %q, want %d", reason, problems, twins)
		}
		want := fmt.Sprintf("# HELP drydock_directory_duplicate_customers Customers that have the login of an older one, which is the account.\n"+
			"# TYPE drydock_directory_duplicate_customers gauge\ndrydock_directory_duplicate_customers %d\n", twins)
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "drydock_directory_duplicate_customers"); err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	}
	check("three of them", ids[0], 2)
	w.call(t, "POST", "/v1/customers/"+ids[1], form("metadata[drydock.login]", ""))
	check("the second one is nobody's", ids[0], 1)
	w.call(t, "DELETE", "/v1/customers/"+ids[0], nil)
	check("the first one is gone", ids[2], 0)
	w.call(t, "POST", "/v1/customers/"+ids[1], form("metadata[drydock.login]", "ada"))
	check("the second one is back, and older", ids[1], 1)
	w.call(t, "DELETE", "/v1/customers/"+ids[1], nil)
	w.call(t, "DELETE", "/v1/customers/"+ids[2], nil)
	if err := c.CatchUp(within(t)); err != nil {
		t.Fatal(err)
	}
	if account, err := c.Account(within(t), "ada"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("all are gone: got %+v, %v", account, err)
	}
}

// TestCustomerMetadata tells the operator of a number that is none, until it is one.
func TestCustomerMetadata(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	account := signUp(t, w.client(t), "ada")
	c := w.started(t)
	for _, step := range []struct {
		value    string
		epoch    int64
		problems int
	}{{"seven", 0, 1}, {"7", 7, 0}, {"", 0, 0}} {
		w.call(t, "POST", "/v1/customers/"+account.CustomerID, form("metadata[drydock.token_epoch]", step.value))
		if err := c.CatchUp(within(t)); err != nil {
			t.Fatal(err)
		}
		if got := show(t, c, "ada"); got.Epoch != step.epoch {
			t.Errorf("%q: the epoch is %d, want %d", step.value, got.Epoch, step.epoch)
		}
		if problems := c.Details()["problems"].([]string); len(problems) != step.problems {
			t.Errorf("%q: problems %q, want %d", step.value, problems, step.problems)
		}
	}
}

// TestUnknownLogin remembers for half a minute that nobody has a login, unless it is signed up.
func TestUnknownLogin(t *testing.T) {
	w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited, SearchLag: time.Hour})
	replicas, _ := w.replicas(t, 2)
	ask := func(wantKind fault.Kind, requests map[string]int) {
		t.Helper()
		w.stripe.ResetRequests()
		_, err := replicas[0].Account(within(t), "ada")
		if wantKind != "" && fault.KindOf(err) != wantKind || wantKind == "" && err != nil {
			t.Errorf("got %v, want %q", err, wantKind)
		}
		if diff := cmp.Diff(requests, w.stripe.Requests()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	find := map[string]int{"GET /v1/customers": 1, "GET /v1/customers/search": 1}
	ask(fault.NotFound, find)
	w.clock.Advance(29 * time.Second)
	ask(fault.NotFound, map[string]int{})
	w.clock.Advance(2 * time.Second)
	ask(fault.NotFound, find)
	if _, err := replicas[1].SignUp(within(t), model.Identity{Login: "ada"}); err != nil {
		t.Fatal(err)
	}
	ask("", map[string]int{"GET /v1/customers/{id}": 1})
}
