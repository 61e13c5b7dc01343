package billing

import (
	"context"
	"strconv"
	"time"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// The metadata of a customer.
const (
	metaLogin      = "drydock.login"
	metaGithubID   = "drydock.github_id"
	metaRole       = "drydock.role"
	metaTokenEpoch = "drydock.token_epoch"
)

// record is what a customer's read gives: the account, by its subscription that counts.
type record struct {
	account *model.Account
	// cycle is the subscription's; nil without one.
	cycle *cycle
	// mark is the accounts' cache's from before the read.
	mark uint64
}

// Account returns the account of a login, in any case. Unknown logins are
// fault.NotFound.
//
// Stripe: GET /v1/customers/{id}?expand[]=subscriptions; before that what resolve
// makes, for a login that is not in the directory; behind it GET /v1/products/{id} and
// GET /v1/prices?product= for a subscription to something that is not on offer.
func (c *Client) Account(ctx context.Context, login string) (*model.Account, error) {
	held, err := c.recordAnyCase(ctx, login)
	if err != nil {
		return nil, err
	}
	return held.account, nil
}

func (c *Client) recordAnyCase(ctx context.Context, login string) (*record, error) {
	lower, err := canonical(login)
	if err != nil {
		return nil, noAccount()
	}
	held, err := c.record(ctx, lower)
	return held, c.translate(err)
}

// record is the held or read record of a login. A customer that is deleted or has
// another login by now is forgotten, and the login looked up once more.
func (c *Client) record(ctx context.Context, login string) (*record, error) {
	for range 2 {
		id, err := c.resolve(ctx, login)
		if err != nil {
			return nil, err
		}
		read := func(ctx context.Context) (*record, error) { return c.readRecord(ctx, id) }
		held, err := c.accounts.Get(ctx, id, read)
		if err == nil && held.account.Login != login {
			// The directory may know a newer login than the one that is held.
			held, err = c.accounts.Reload(ctx, id, read)
		}
		switch {
		case err != nil && fault.KindOf(err) != fault.NotFound:
			return nil, err
		case err == nil && held.account.Login == login:
			return held, nil
		}
		c.directory.forget(login, id)
	}
	return nil, noAccount()
}

func (c *Client) readRecord(ctx context.Context, id string) (*record, error) {
	mark := c.accounts.Mark()
	customer, err := c.readCustomer(ctx, id)
	if err != nil {
		return nil, err
	}
	if customer == nil {
		return nil, noAccount()
	}
	held, err := c.recordOf(ctx, customer, mark)
	if err == nil {
		c.settleSeen(ctx, customer)
	}
	return held, err
}

// readCustomer gives nil for a customer that is no more.
func (c *Client) readCustomer(ctx context.Context, id string) (*stripe.Customer, error) {
	params := &stripe.CustomerParams{}
	params.Context = ctx
	params.AddExpand("subscriptions")
	customer, err := c.stripe.customers.Get(id, params)
	switch {
	case missing(err):
		return nil, nil
	case err != nil:
		return nil, c.translate(err)
	case customer.Deleted:
		c.directory.bury(id)
		return nil, nil
	}
	return customer, nil
}

// recordOf converts a customer whose subscriptions are expanded, and that was read since
// the mark.
func (c *Client) recordOf(ctx context.Context, customer *stripe.Customer, mark uint64) (*record, error) {
	c.problems.clear("customer " + customer.ID + ":")
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
	subscription, err := c.counting(ctx, customer)
	if err != nil || subscription == nil {
		return &record{account: account, mark: mark}, err
	}
	account.Subscription = billingSubscription(subscription)
	if entitles(subscription.Status) {
		account.PlanID = productOf(subscription)
	}
	return &record{account: account, cycle: cycleOf(subscription), mark: mark}, nil
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
