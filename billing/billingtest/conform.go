package billingtest

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// Client is what Conform holds to its contract: billing.Client.
type Client interface {
	SignUp(context.Context, model.Identity) (*model.Account, error)
	Account(ctx context.Context, login string) (*model.Account, error)
	Accounts(context.Context, model.Page) (model.Slice[*model.Account], error)
	Plans(context.Context) ([]*model.Plan, error)
	PlanOf(context.Context, *model.Account) (*model.Plan, error)
	Usage(ctx context.Context, login string, period model.UsagePeriod) (*model.Usage, error)
	ReportUsage(context.Context, model.UsageReport) error
	ForgetUsage(login string)
	Checkout(ctx context.Context, login, productID, returnURL, key string) (string, error)
	Portal(ctx context.Context, login, returnURL, key string) (string, error)
	Hold(ctx context.Context, login string) (string, error)
}

// Conform holds a started client to its contract, on the stand-in or on a Stripe
// account in test mode that has the meter, a default plan and saved settings of the
// customer portal. It leaves one customer behind, whose login begins with conform-.
// patience is how long the meter's sums may lag: Stripe counts asynchronously.
func Conform(t *testing.T, client Client, patience time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), patience+time.Minute)
	defer cancel()
	login := "conform-" + strconv.FormatInt(time.Now().UnixNano(), 36)

	if _, err := client.Account(ctx, login); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("an unknown login gives %v, want %s", err, fault.NotFound)
	}
	identity := model.Identity{Login: strings.ToUpper(login), GithubID: 42, Email: login + "@example.com"}
	account, err := client.SignUp(ctx, identity)
	if err != nil {
		t.Fatal(err)
	}
	if account.Login != login || account.GithubID != 42 || account.Email == nil || *account.Email != identity.Email || account.Subscription != nil {
		t.Errorf("signed up: %+v", account)
	}
	if again, err := client.SignUp(ctx, identity); err != nil || again.CustomerID != account.CustomerID {
		t.Errorf("signed up again: %+v, %v", again, err)
	}
	if read, err := client.Account(ctx, login); err != nil || read.CustomerID != account.CustomerID {
		t.Errorf("read: %+v, %v", read, err)
	}
	conformAccounts(ctx, t, client, account)
	conformPlans(ctx, t, client, account)
	conformMoney(ctx, t, client, account)
	conformUsage(ctx, t, client, account, patience)
}

// conformAccounts finds the newest account on the first page, and nobody twice.
func conformAccounts(ctx context.Context, t *testing.T, client Client, newest *model.Account) {
	first, err := client.Accounts(ctx, model.Page{First: 2})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(first.Items, func(a *model.Account) bool { return a.Login == newest.Login }) {
		t.Errorf("the newest account is not on the first page")
	}
	if !first.HasNext {
		return
	}
	second, err := client.Accounts(ctx, model.Page{First: 2, After: first.Cursors[len(first.Cursors)-1]})
	if err != nil {
		t.Fatal(err)
	}
	for _, account := range second.Items {
		if slices.ContainsFunc(first.Items, func(a *model.Account) bool { return a.Login == account.Login }) {
			t.Errorf("%s is on two pages", account.Login)
		}
	}
}

func conformPlans(ctx context.Context, t *testing.T, client Client, account *model.Account) {
	plans, err := client.Plans(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var standard []*model.Plan
	for i, plan := range plans {
		if plan.Default {
			standard = append(standard, plan)
		}
		if i > 0 && price(plans[i-1]) > price(plan) {
			t.Errorf("%s stands before %s, which is cheaper", plans[i-1].Name, plan.Name)
		}
	}
	if len(standard) != 1 {
		t.Fatalf("%d default plans, want one", len(standard))
	}
	if plan, err := client.PlanOf(ctx, account); err != nil || plan.ProductID != standard[0].ProductID {
		t.Errorf("a new account's plan is %+v, %v; want %s", plan, err, standard[0].Name)
	}
}

func price(plan *model.Plan) int {
	if plan.Price == nil {
		return 0
	}
	return plan.Price.UnitAmount
}

// conformMoney opens the pages to buy on, as far as one comes without paying.
func conformMoney(ctx context.Context, t *testing.T, client Client, account *model.Account) {
	const home = "https://drydock.example/"
	plans, err := client.Plans(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, plan := range plans {
		page, err := client.Checkout(ctx, account.Login, plan.ProductID, home, "conform")
		if price(plan) == 0 {
			if kind := fault.KindOf(err); plan.Default && kind != fault.BadUserInput {
				t.Errorf("the default plan is sold: %s, %v", page, err)
			}
			continue
		}
		if err != nil || !strings.HasPrefix(page, "http") {
			t.Errorf("buying %s: %s, %v", plan.Name, page, err)
		}
		if again, err := client.Checkout(ctx, account.Login, plan.ProductID, home, "conform"); err != nil || again != page {
			t.Errorf("buying %s by the same key: %s, before %s, %v", plan.Name, again, page, err)
		}
	}
	if page, err := client.Portal(ctx, account.Login, home, ""); err != nil || !strings.HasPrefix(page, "http") {
		t.Errorf("the portal: %s, %v", page, err)
	}
	if words, err := client.Hold(ctx, account.Login); err != nil || words != "" {
		t.Errorf("an account that owes nothing is held: %s, %v", words, err)
	}
}

// conformUsage reports two builds, one of them twice, and waits for their sum.
func conformUsage(ctx context.Context, t *testing.T, client Client, account *model.Account, patience time.Duration) {
	finished := account.CreatedAt
	for _, report := range []model.UsageReport{
		{Login: account.Login, BuildUID: account.Login + "-1", Seconds: 61, FinishedAt: finished},
		{Login: account.Login, BuildUID: account.Login + "-2", Seconds: 7, FinishedAt: finished},
		{Login: account.Login, BuildUID: account.Login + "-1", Seconds: 61, FinishedAt: finished},
	} {
		if err := client.ReportUsage(ctx, report); err != nil {
			t.Fatal(err)
		}
	}
	const want = 68
	var usage *model.Usage
	for deadline := time.Now().Add(patience); ; time.Sleep(min(time.Second, patience/10)) {
		client.ForgetUsage(account.Login)
		var err error
		if usage, err = client.Usage(ctx, account.Login, model.UsagePeriodCurrent); err != nil {
			t.Fatal(err)
		}
		if usage.BuildSeconds >= want || time.Now().After(deadline) {
			break
		}
	}
	sum := 0
	for _, day := range usage.Daily {
		sum += day.BuildSeconds
	}
	if usage.BuildSeconds != want || sum != want {
		t.Errorf("%d seconds, %d by the day; want %d", usage.BuildSeconds, sum, want)
	}
	if last := usage.Daily[len(usage.Daily)-1].Date; last < finished.UTC().Format(time.DateOnly) {
		t.Errorf("the days end with %s", last)
	}
}
