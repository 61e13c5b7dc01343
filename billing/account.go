package billing

import (
	"context"
	"strconv"
	"time"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/graph/model"
)

// The metadata of a customer.
const (
	metaLogin      = "drydock.login"
	metaGithubID   = "drydock.github_id"
	metaRole       = "drydock.role"
	metaTokenEpoch = "drydock.token_epoch"
)

// record is what a customer's read gives: the account, and what only usage needs.
type record struct {
	account *model.Account
	// cycle is nil without a subscription.
	cycle *cycle
}

// Account returns the account of a login, in any case. Unknown logins are
// fault.NotFound.
//
// Stripe: GET /v1/customers/{id}?expand[]=subscriptions; before that what resolve
// makes, for a login that is not in the directory.
func (c *Client) Account(ctx context.Context, login string) (*model.Account, error) {
	lower, err := canonical(login)
	if err != nil {
		return nil, noAccount()
	}
	held, err := c.record(ctx, lower)
	if err != nil {
		return nil, err
	}
	return held.account, nil
}

func (c *Client) record(ctx context.Context, login string) (*record, error) {
	held, err := c.accounts.Get(ctx, login, func(ctx context.Context) (*record, error) { return c.readRecord(ctx, login) })
	if err != nil {
		return nil, c.translate(err)
	}
	return held, nil
}

// readRecord reads a customer. One that is deleted or has another login by now is
// forgotten, and the login looked up once more.
func (c *Client) readRecord(ctx context.Context, login string) (*record, error) {
	for range 2 {
		id, err := c.resolve(ctx, login)
		if err != nil {
			return nil, err
		}
		customer, err := c.readCustomer(ctx, id)
		if err != nil {
			return nil, err
		}
		if customer != nil && loginOf(customer) == login {
			return c.recordOf(customer), nil
		}
		c.directory.forget(login, id)
	}
	return nil, noAccount()
}

// readCustomer gives nil for a customer that is no more.
func (c *Client) readCustomer(ctx context.Context, id string) (*stripe.Customer, error) {
	params := &stripe.CustomerParams{}
	params.Context = ctx
	params.AddExpand("subscriptions")
	customer, err := c.stripe.customers.Get(id, params)
	if missing(err) || err == nil && customer.Deleted {
		return nil, nil
	}
	if err != nil {
		return nil, c.translate(err)
	}
	return customer, nil
}

// recordOf converts a customer whose subscriptions are expanded.
func (c *Client) recordOf(customer *stripe.Customer) *record {
	account := &model.Account{
		Login: loginOf(customer), CustomerID: customer.ID, CreatedAt: unix(customer.Created), Role: model.RoleUser,
	}
	if customer.Email != "" {
		account.Email = &customer.Email
	}
	if customer.Metadata[metaRole] == "admin" {
		account.Role = model.RoleAdmin
	}
	account.GithubID = c.metaNumber(customer, metaGithubID)
	account.TokenEpoch = c.metaNumber(customer, metaTokenEpoch)
	held := &record{account: account}
	if subscription := c.subscriptionOf(customer); subscription != nil {
		account.Subscription = billingSubscription(subscription)
		if entitles(subscription.Status) {
			account.PlanID = productOf(subscription)
		}
		held.cycle = cycleOf(subscription)
	}
	return held
}

// metaNumber reads a number of a customer's metadata; what is no number counts as 0.
func (c *Client) metaNumber(customer *stripe.Customer, key string) int64 {
	text := customer.Metadata[key]
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		c.problem("customer " + customer.ID + ": metadata " + key + " is not a number")
	}
	return n
}

// loginOf is the login that a customer's metadata gives it; empty where it is not ours.
func loginOf(customer *stripe.Customer) string {
	login, err := canonical(customer.Metadata[metaLogin])
	if err != nil {
		return ""
	}
	return login
}

func unix(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
