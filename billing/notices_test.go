package billing_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// hub carries notices between replicas, as the Kubernetes watch does.
type hub struct {
	mu       sync.Mutex
	replicas []*billing.Client
	fails    error
}

// announce is a replica's Options.Announce: all hear it, itself too.
func (h *hub) announce(_ context.Context, notices []string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fails != nil {
		return h.fails
	}
	for _, replica := range h.replicas {
		replica.Hear(notices)
	}
	return nil
}

func (h *hub) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fails = err
}

const whsec = "whsec_test"

// replicas are started clients that hear each other; the first one gets the webhooks.
func (w *world) replicas(t *testing.T, n int) ([]*billing.Client, *hub) {
	t.Helper()
	h := &hub{}
	var made []*billing.Client
	for range n {
		made = append(made, w.started(t, func(o *billing.Options) {
			o.Announce, o.WebhookSecrets = h.announce, []string{"whsec_retired", whsec}
		}))
	}
	h.mu.Lock()
	h.replicas = made
	h.mu.Unlock()
	return made, h
}

// deliver has the stand-in send its webhooks to a replica.
func (w *world) deliver(t *testing.T, to *billing.Client) {
	t.Helper()
	endpoint := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = to.Webhook(r.Context(), body, r.Header.Get("Stripe-Signature"))
		}
		if err != nil {
			http.Error(out, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	w.stripe.AddWebhook(billingtest.Webhook{URL: endpoint.URL, Secret: whsec})
	t.Cleanup(func() {
		w.stripe.RemoveWebhook("")
		endpoint.Close()
	})
}

// shown is what a replica shows of an account.
type shown struct {
	Email, Status, Plan string
	Concurrent          int
	Epoch               int64
}

func show(t *testing.T, c *billing.Client, login string) (s shown) {
	t.Helper()
	account, err := c.Account(within(t), login)
	if err != nil {
		return shown{Status: string(fault.KindOf(err))}
	}
	if account.Email != nil {
		s.Email = *account.Email
	}
	if account.Subscription != nil {
		s.Status = string(account.Subscription.Status)
	}
	s.Epoch = account.TokenEpoch
	plan, err := c.PlanOf(within(t), account)
	if err != nil {
		t.Fatal(err)
	}
	s.Plan, s.Concurrent = plan.Name, plan.Limits.ConcurrentBuilds
	return s
}

// changes are what an operator or Stripe itself does; ada is subscribed to Team before.
var changes = []struct {
	reason string
	make   func(t *testing.T, w *world, customer, subscription string)
	want   shown
}{
	{"a limit of the plan", func(t *testing.T, w *world, _, _ string) {
		w.call(t, "POST", "/v1/products/prod_drydock_team", form("metadata[drydock.concurrent_builds]", "7"))
	}, shown{Plan: "Team", Concurrent: 7, Status: "ACTIVE"}},
	{"the customer's address", func(t *testing.T, w *world, customer, _ string) {
		w.call(t, "POST", "/v1/customers/"+customer, form("email", "ada@example.com"))
	}, shown{Plan: "Team", Concurrent: 5, Status: "ACTIVE", Email: "ada@example.com"}},
	{"a failed payment", func(t *testing.T, w *world, _, subscription string) {
		status("past_due")(t, w, subscription)
	}, shown{Plan: "Team", Concurrent: 5, Status: "PAST_DUE"}},
	{"the subscription's end", func(t *testing.T, w *world, _, subscription string) {
		w.call(t, "DELETE", "/v1/subscriptions/"+subscription, nil)
	}, shown{Plan: "Free", Concurrent: 2}},
	{"the customer's end", func(t *testing.T, w *world, customer, _ string) {
		w.call(t, "DELETE", "/v1/customers/"+customer, nil)
	}, shown{Status: "NOT_FOUND"}},
	{"another login", func(t *testing.T, w *world, customer, _ string) {
		w.call(t, "POST", "/v1/customers/"+customer, form("metadata[drydock.login]", "lovelace"))
	}, shown{Status: "NOT_FOUND"}},
}

// TestWebhookReachesAll changes things at Stripe: one replica alone gets the webhooks,
// and all show the change, and wake who watches.
func TestWebhookReachesAll(t *testing.T) {
	for _, change := range changes {
		t.Run(change.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{SearchLag: time.Second, Limits: billingtest.Unlimited})
			account := signUp(t, w.client(t), "ada")
			subscription := w.subscribe(t, account, "prod_drydock_team")
			replicas, _ := w.replicas(t, 3)
			w.deliver(t, replicas[0])
			var watched []<-chan struct{}
			for _, replica := range replicas {
				before := shown{Plan: "Team", Concurrent: 5, Status: "ACTIVE"}
				if diff := cmp.Diff(before, show(t, replica, "ada")); diff != "" {
					t.Fatalf("before (-want +got):\n%s", diff)
				}
				tokens, err := replica.WatchAccount(within(t), "ADA")
				if err != nil {
					t.Fatal(err)
				}
				<-tokens
				watched = append(watched, tokens)
			}
			change.make(t, w, account.CustomerID, subscription)
			for i, replica := range replicas {
				for deadline := within(t); ; {
					select {
					case <-watched[i]:
					case <-deadline.Done():
						t.Fatalf("replica %d shows %+v, want %+v", i, show(t, replica, "ada"), change.want)
					}
					if show(t, replica, "ada") == change.want {
						break
					}
				}
			}
		})
	}
}

// TestCatchUpHeals does the same with every webhook lost.
func TestCatchUpHeals(t *testing.T) {
	for _, change := range changes {
		t.Run(change.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{SearchLag: time.Second, Limits: billingtest.Unlimited})
			account := signUp(t, w.client(t), "ada")
			subscription := w.subscribe(t, account, "prod_drydock_team")
			c := w.started(t, func(o *billing.Options) { o.CatchUpEvery = 10 * time.Millisecond })
			show(t, c, "ada")
			change.make(t, w, account.CustomerID, subscription)
			until(t, "the change is seen", func() bool { return show(t, c, "ada") == change.want })
		})
	}
}

// TestOwnWrites tells other replicas of a sign-up, and of what sign-in changes.
func TestOwnWrites(t *testing.T) {
	w := newWorld(t, billingtest.Options{SearchLag: time.Hour})
	replicas, h := w.replicas(t, 2)
	if got := show(t, replicas[1], "ada"); got.Status != "NOT_FOUND" {
		t.Fatalf("before: %+v", got)
	}
	signUp(t, replicas[0], "ada")
	w.stripe.ResetRequests()
	if got := show(t, replicas[1], "ada"); got.Plan != "Free" {
		t.Errorf("after the sign-up: %+v", got)
	}
	if diff := cmp.Diff(map[string]int{"GET /v1/customers/{id}": 1}, w.stripe.Requests()); diff != "" {
		t.Errorf("the other replica knows the customer without a search (-want +got):\n%s", diff)
	}
	if _, err := replicas[0].SignUp(within(t), model.Identity{Login: "ada", Email: "ada@example.com"}); err != nil {
		t.Fatal(err)
	}
	if got := show(t, replicas[1], "ada"); got.Email != "ada@example.com" {
		t.Errorf("after the sign-in: %+v", got)
	}

	// The write stands where nobody can be told.
	h.fail(errors.New("the cluster is away"))
	if _, err := replicas[0].SignUp(within(t), model.Identity{Login: "ada", Email: "new@example.com"}); err != nil {
		t.Fatal(err)
	}
	if err := replicas[1].CatchUp(within(t)); err != nil {
		t.Fatal(err)
	}
	if got := show(t, replicas[1], "ada"); got.Email != "new@example.com" {
		t.Errorf("after the catch-up: %+v", got)
	}
}

// TestWebhookComesAgain has the announcement fail: Stripe sends the event until all were told.
func TestWebhookComesAgain(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	account := signUp(t, w.client(t), "ada")
	replicas, h := w.replicas(t, 2)
	w.deliver(t, replicas[0])
	show(t, replicas[1], "ada")
	h.fail(errors.New("the cluster is away"))
	w.call(t, "POST", "/v1/customers/"+account.CustomerID, form("email", "ada@example.com"))
	until(t, "the replica with the webhook sees it", func() bool { return show(t, replicas[0], "ada").Email != "" })
	h.fail(nil)
	until(t, "the other one sees it", func() bool { return show(t, replicas[1], "ada").Email != "" })
}

// TestWebhooksMisbehave delivers late, twice and out of order: what is shown is always
// what Stripe holds in the end.
func TestWebhooksMisbehave(t *testing.T) {
	cases := []struct {
		reason string
		faults []billingtest.WebhookFault
	}{
		{"late", []billingtest.WebhookFault{{Times: -1, Delay: 50 * time.Millisecond}}},
		{"twice", []billingtest.WebhookFault{{Times: -1, Twice: true}}},
		{"out of order", []billingtest.WebhookFault{{Behind: 3}, {Behind: 1}, {Twice: true}, {Delay: 20 * time.Millisecond}}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{Limits: billingtest.Unlimited})
			account := signUp(t, w.client(t), "ada")
			replicas, _ := w.replicas(t, 2)
			w.deliver(t, replicas[0])
			w.stripe.InjectWebhooks(c.faults...)
			for n := range 10 {
				w.call(t, "POST", "/v1/customers/"+account.CustomerID, form("email", strconv.Itoa(n)+"@example.com"))
				show(t, replicas[n%2], "ada")
			}
			for i, replica := range replicas {
				until(t, "replica "+strconv.Itoa(i)+" shows the last change", func() bool {
					return show(t, replica, "ada").Email == "9@example.com"
				})
			}
		})
	}
}

// TestHear reads notices of others: unknown ones make everything old.
func TestHear(t *testing.T) {
	cases := []struct {
		reason  string
		notices []string
		// again is what the next dashboard asks for.
		again map[string]int
	}{
		{"nothing", nil, map[string]int{}},
		{"another customer", []string{"customer:cus_other"}, map[string]int{}},
		{"the customer", []string{"customer:CUSTOMER"}, map[string]int{"GET /v1/customers/{id}": 1}},
		{"the same one as the same login", []string{"login:ada:CUSTOMER:1"}, map[string]int{}},
		{"a product", []string{"product:prod_x"}, map[string]int{"GET /v1/products": 1}},
		{"a price", []string{"price:prod_x"}, map[string]int{"GET /v1/prices": 1}},
		{"an event", []string{"event:evt_1"}, map[string]int{}},
		{"a word of the future", []string{"weather:rain"}, everything},
		{"a login that is none", []string{"login:ada"}, everything},
		{"no word at all", []string{""}, everything},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			account := signUp(t, w.client(t), "ada")
			client := w.started(t)
			dashboard(t, client, "ada")
			for i := range c.notices {
				c.notices[i] = strings.ReplaceAll(c.notices[i], "CUSTOMER", account.CustomerID)
			}
			client.Hear(c.notices)
			w.stripe.ResetRequests()
			dashboard(t, client, "ada")
			if diff := cmp.Diff(c.again, w.stripe.Requests()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// everything is what a dashboard asks for when nothing is held.
var everything = map[string]int{
	"GET /v1/customers/{id}": 1, "GET /v1/billing/meters/{id}/event_summaries": 1,
	"GET /v1/products": 1, "GET /v1/prices": 1, "GET /v1/billing/meters": 1,
}

// dashboard reads what the viewer's page shows.
func dashboard(t *testing.T, c *billing.Client, login string) {
	t.Helper()
	account, err := c.Account(within(t), login)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.PlanOf(within(t), account); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Plans(within(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Usage(within(t), login, model.UsagePeriodCurrent); err != nil {
		t.Fatal(err)
	}
}
