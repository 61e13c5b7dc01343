package billing_test

import (
	"bytes"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

func metered(perMinute string) *string { return &perMinute }

func TestSeededPlans(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	c := w.started(t)
	got, err := c.Plans(within(t))
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) *string { return &s }
	want := []*model.Plan{
		{
			ProductID: "prod_drydock_free", Name: "Free", Description: text("For trying things out."), Default: true,
			Price:  &model.Price{Currency: "usd", Interval: "month"},
			Limits: &model.PlanLimits{ConcurrentBuilds: 2, Images: 25, IncludedBuildMinutes: 100, BuildTimeoutSeconds: 900, CPU: "2", Memory: "2Gi"},
		},
		{
			ProductID: "prod_drydock_team", Name: "Team", Description: text("For a team that ships every day."),
			Price:  &model.Price{Currency: "usd", UnitAmount: 2000, Interval: "month", MeteredUnitAmountPerMinute: metered("0.6")},
			Limits: &model.PlanLimits{ConcurrentBuilds: 5, Images: 100, IncludedBuildMinutes: 1000, BuildTimeoutSeconds: 1800, CPU: "4", Memory: "8Gi"},
		},
		{
			ProductID: "prod_drydock_scale", Name: "Scale", Description: text("For many teams and large images."),
			Price:  &model.Price{Currency: "usd", UnitAmount: 10000, Interval: "month", MeteredUnitAmountPerMinute: metered("0.48")},
			Limits: &model.PlanLimits{ConcurrentBuilds: 20, Images: 1000, IncludedBuildMinutes: 10000, BuildTimeoutSeconds: 3600, CPU: "8", Memory: "16Gi"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// logged is a log that is read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// take gives what was written since the last time.
func (l *logged) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

// TestMetadata changes the Team product and tells which limits hold, and what the
// operator is told.
func TestMetadata(t *testing.T) {
	team := model.PlanLimits{ConcurrentBuilds: 5, Images: 100, IncludedBuildMinutes: 1000, BuildTimeoutSeconds: 1800, CPU: "4", Memory: "8Gi"}
	cases := []struct {
		reason  string
		key     string
		value   string
		want    func(*model.PlanLimits)
		problem string
	}{
		{"a legal value holds", "concurrent_builds", "7", func(l *model.PlanLimits) { l.ConcurrentBuilds = 7 }, ""},
		{"a word is the default plan's number", "concurrent_builds", "many", func(l *model.PlanLimits) { l.ConcurrentBuilds = 2 }, `"many"`},
		{"so is nothing", "images", "", func(l *model.PlanLimits) { l.Images = 25 }, `""`},
		{"and a negative number", "included_build_minutes", "-1", func(l *model.PlanLimits) { l.IncludedBuildMinutes = 100 }, `"-1"`},
		{"and a plan on which nothing can run", "concurrent_builds", "0", func(l *model.PlanLimits) { l.ConcurrentBuilds = 2 }, `"0"`},
		{"and a number beyond GraphQL's Int", "images", "3000000000", func(l *model.PlanLimits) { l.Images = 25 }, `"3000000000"`},
		{"minutes are whole", "build_timeout_seconds", "1e3", func(l *model.PlanLimits) { l.BuildTimeoutSeconds = 900 }, `"1e3"`},
		{"a fraction of a core", "cpu", "500m", func(l *model.PlanLimits) { l.CPU = "500m" }, ""},
		{"a decimal quantity", "cpu", "0.5", func(l *model.PlanLimits) { l.CPU = "0.5" }, ""},
		{"no cpu at all", "cpu", "0", func(l *model.PlanLimits) { l.CPU = "2" }, `"0"`},
		{"a unit that Kubernetes does not know", "memory", "8GB", func(l *model.PlanLimits) { l.Memory = "2Gi" }, `"8GB"`},
		{"paid minutes are bounded where it says so", "paid_build_minutes", "500", func(l *model.PlanLimits) { n := 500; l.PaidBuildMinutes = &n }, ""},
		{"builds are kept as many as it says", "kept_builds", "3", func(l *model.PlanLimits) { l.KeptBuilds = new(3) }, ""},
		{"and for as long", "kept_days", "14", func(l *model.PlanLimits) { l.KeptDays = new(14) }, ""},
		{"none at all is no number of builds to keep: the operator's holds", "kept_builds", "0", func(*model.PlanLimits) {}, `"0"`},
		{"a bound that does not parse sells nothing", "paid_build_minutes", "lots", func(l *model.PlanLimits) { n := 0; l.PaidBuildMinutes = &n }, `"lots"`},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			w.call(t, "POST", "/v1/products/prod_drydock_team", form("metadata[drydock."+c.key+"]", c.value))
			var log logged
			client := w.started(t, func(o *billing.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			want := team
			c.want(&want)
			plan, err := client.Plan(within(t), "prod_drydock_team")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&want, plan.Limits); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// Read again: what was told is not told twice.
			if _, err := client.PlanNow(within(t), &model.Account{PlanID: "prod_drydock_team"}); err != nil {
				t.Fatal(err)
			}
			problems := client.Details()["problems"].([]string)
			told := strings.Count(log.String(), "set right")
			if c.problem == "" && (len(problems) != 0 || told != 0) {
				t.Errorf("problems %v, told %d times", problems, told)
			}
			if c.problem != "" && (len(problems) != 1 || !strings.Contains(problems[0], c.problem) || told != 1) {
				t.Errorf("problems %v, told %d times; want one with %s", problems, told, c.problem)
			}
			// Set right, it is no problem any more.
			w.call(t, "POST", "/v1/products/prod_drydock_team", form("metadata[drydock."+c.key+"]", "30"))
			if err := client.CatchUp(within(t)); err != nil {
				t.Fatal(err)
			}
			if _, err := client.Plans(within(t)); err != nil {
				t.Fatal(err)
			}
			if len(client.Details()["problems"].([]string)) > 0 {
				t.Errorf("set right: problems %v", client.Details()["problems"])
			}
		})
	}
}

// TestMeteredPrice reads prices of seconds as prices of minutes.
func TestMeteredPrice(t *testing.T) {
	cases := []struct {
		reason string
		price  url.Values
		want   *string
	}{
		{"a price by the second", form("unit_amount_decimal", "0.0125"), metered("0.75")},
		{"no float's dust", form("unit_amount_decimal", "0.1"), metered("6")},
		{"the smallest that Stripe keeps", form("unit_amount_decimal", "0.000000000001"), metered("0.00000000006")},
		{"a whole amount", form("unit_amount", "2"), metered("120")},
		{"packages of a minute", form("unit_amount_decimal", "0.8", "transform_quantity[divide_by]", "60", "transform_quantity[round]", "up"), metered("0.8")},
		{"packages of an hour", form("unit_amount", "100", "transform_quantity[divide_by]", "3600", "transform_quantity[round]", "up"), metered("1.666666666667")},
		{
			"behind the free tier",
			form("billing_scheme", "tiered", "tiers_mode", "graduated", "tiers[0][up_to]", "60000", "tiers[0][unit_amount]", "0",
				"tiers[1][up_to]", "inf", "tiers[1][unit_amount_decimal]", "0.02"),
			metered("1.2"),
		},
		{"a metered price of something else", form("unit_amount", "5", "recurring[meter]", ""), nil},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			w.call(t, "POST", "/v1/products", form("id", "prod_x", "name", "X", "metadata[drydock.plan]", "true"))
			w.call(t, "POST", "/v1/prices", form("product", "prod_x", "currency", "eur", "unit_amount", "900", "recurring[interval]", "year"))
			price := form("product", "prod_x", "currency", "eur", "recurring[interval]", "year", "recurring[usage_type]", "metered")
			meter := w.call(t, "GET", "/v1/billing/meters", nil)["data"].([]any)[0].(map[string]any)["id"].(string)
			price.Set("recurring[meter]", meter)
			for key, values := range c.price {
				price[key] = values
			}
			if price.Get("recurring[meter]") == "" {
				price.Del("recurring[meter]")
			}
			w.call(t, "POST", "/v1/prices", price)
			plan, err := w.started(t).Plan(within(t), "prod_x")
			if err != nil {
				t.Fatal(err)
			}
			want := &model.Price{Currency: "eur", UnitAmount: 900, Interval: "year", MeteredUnitAmountPerMinute: c.want}
			if diff := cmp.Diff(want, plan.Price); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPlanOf tells which plan an account has, by its subscription.
func TestPlanOf(t *testing.T) {
	cases := []struct {
		reason string
		change func(t *testing.T, w *world, subscription string)
		want   string
		status model.SubscriptionStatus
	}{
		{"an active subscription gives its plan", nil, "Team", model.SubscriptionStatusActive},
		{"a failed payment is no end yet", status("past_due"), "Team", model.SubscriptionStatusPastDue},
		{"an unpaid one gives the default plan", status("unpaid"), "Free", model.SubscriptionStatusUnpaid},
		{"so does one whose first payment is to come", status("incomplete"), "Free", model.SubscriptionStatusIncomplete},
		{"a cancelled one is none", func(t *testing.T, w *world, id string) {
			w.call(t, "DELETE", "/v1/subscriptions/"+id, nil)
		}, "Free", ""},
		{"a plan that is off the market stays its owners'", func(t *testing.T, w *world, _ string) {
			w.call(t, "POST", "/v1/products/prod_drydock_team", form("active", "false"))
		}, "Team", model.SubscriptionStatusActive},
		{"a subscription to something else beside it does not count", func(t *testing.T, w *world, id string) {
			customer := w.call(t, "GET", "/v1/subscriptions/"+id, nil)["customer"].(string)
			w.call(t, "POST", "/v1/products", form("id", "prod_hat", "name", "Hat of the month"))
			price := w.call(t, "POST", "/v1/prices", form("product", "prod_hat", "currency", "usd", "unit_amount", "500", "recurring[interval]", "month"))
			w.call(t, "POST", "/v1/subscriptions", form("customer", customer, "items[0][price]", price["id"].(string)))
		}, "Team", model.SubscriptionStatusActive},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, billingtest.Options{})
			subscription := w.subscribe(t, signUp(t, w.client(t), "ada"), "prod_drydock_team")
			if c.change != nil {
				c.change(t, w, subscription)
			}
			client := w.started(t)
			account, err := client.Account(within(t), "ada")
			if err != nil {
				t.Fatal(err)
			}
			plan, err := client.PlanOf(within(t), account)
			if err != nil {
				t.Fatal(err)
			}
			var status model.SubscriptionStatus
			if account.Subscription != nil {
				status = account.Subscription.Status
			}
			if plan.Name != c.want || status != c.status {
				t.Errorf("the plan is %s, the subscription %q; want %s, %q", plan.Name, status, c.want, c.status)
			}
		})
	}
}

func status(word string) func(*testing.T, *world, string) {
	return func(t *testing.T, w *world, id string) {
		if !w.stripe.SetSubscriptionStatus(id, word) {
			t.Fatal("no such subscription")
		}
	}
}

func TestPlanUnknown(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	w.call(t, "POST", "/v1/products", form("id", "prod_hat", "name", "Hat"))
	c := w.started(t)
	for _, id := range []string{"prod_none", "prod_hat", "../customers"} {
		if plan, err := c.Plan(within(t), id); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: got %v, %v", id, plan, err)
		}
	}
}

// TestPlanChangeIsSeen raises a limit in Stripe, twice, and no webhook tells: a build's
// start sees it at once, and then the rest does.
func TestPlanChangeIsSeen(t *testing.T) {
	w := newWorld(t, billingtest.Options{})
	c := w.started(t)
	for _, limit := range []int{5, 9} {
		w.call(t, "POST", "/v1/products/prod_drydock_free", form("metadata[drydock.concurrent_builds]", strconv.Itoa(limit)))
		plan, err := c.PlanNow(within(t), &model.Account{})
		if err != nil || plan.Limits.ConcurrentBuilds != limit {
			t.Errorf("at once: %+v, %v, want %d", plan, err, limit)
		}
		plans, err := c.Plans(within(t))
		if err != nil || plans[0].Limits.ConcurrentBuilds != limit {
			t.Errorf("then: %+v, %v, want %d", plans[0].Limits, err, limit)
		}
	}
}

// TestNotReady tells what an operator has yet to set up.
func TestNotReady(t *testing.T) {
	w := newWorld(t, billingtest.Options{Unseeded: true})
	c := w.client(t)
	if err := c.Ready(); err == nil {
		t.Error("ready before the start")
	}
	if err := c.Start(within(t)); err != nil {
		t.Fatal(err)
	}
	err := c.Ready()
	for _, want := range []string{"drydock.default=true", "drydock_build_seconds"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
