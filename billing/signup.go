package billing

import (
	"context"
	"strconv"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// SignUp finds the account of an identity, or creates it; a login has one customer,
// however many replicas sign it up at once: the create's idempotency key and
// parameters follow from the login alone. What GitHub knows better by now, e-mail and
// number, is written. A login that belonged to another GitHub user is fault.Forbidden:
// GitHub hands freed logins out again.
//
// Stripe: as Account for a known login; for a new one what resolve makes, then
// POST /v1/customers and, with an e-mail or a number, POST /v1/customers/{id}. A
// create that was made before costs one GET /v1/customers/{id} more.
func (c *Client) SignUp(ctx context.Context, identity model.Identity) (*model.Account, error) {
	login, err := canonical(identity.Login)
	if err != nil {
		return nil, err
	}
	held, err := c.record(ctx, login)
	if fault.KindOf(err) == fault.NotFound {
		held, err = c.create(ctx, login)
	}
	if err != nil {
		return nil, c.translate(err)
	}
	return c.introduce(ctx, held.account, identity)
}

// recreations bounds how often a login may be signed up and deleted in a day.
const recreations = 10

// create makes the customer of a login. The answer to an idempotency key used before
// shows the customer as it was then: one deleted since is not revived, but gives the
// next key, the same on every replica. So does a failure that the key remembers, where
// it left no customer.
func (c *Client) create(ctx context.Context, login string) (*record, error) {
	key, failed := "drydock-signup-"+login, false
	for range recreations {
		params := &stripe.CustomerParams{Metadata: map[string]string{metaLogin: login}}
		params.Context, params.IdempotencyKey = ctx, &key
		params.AddExpand("subscriptions")
		customer, err := c.stripe.customers.New(params)
		if failedForGood(err) && !failed {
			failed = true
			if customer, err = c.left(ctx, login); customer == nil && err == nil {
				key = *c.otherKey(key)
				continue
			}
		}
		if err != nil {
			return nil, c.translate(err)
		}
		if customer.LastResponse.Header.Get("Idempotent-Replayed") == "true" {
			made := customer.ID
			if customer, err = c.readCustomer(ctx, made); err != nil {
				return nil, err
			}
			if customer == nil || loginOf(customer) != login {
				key = "drydock-signup-" + login + "-" + made
				continue
			}
		}
		c.written(ctx, customer)
		return c.recordOf(ctx, customer, c.accounts.Mark())
	}
	return nil, fault.New(fault.Conflict, "This login was signed up and deleted too often today: try again tomorrow.")
}

// left is the customer that a create left which failed; nil where there is none.
func (c *Client) left(ctx context.Context, login string) (*stripe.Customer, error) {
	id, err := c.find(ctx, login)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return c.readCustomer(ctx, id)
}

// introduce writes what the identity says and the account does not.
func (c *Client) introduce(ctx context.Context, account *model.Account, identity model.Identity) (*model.Account, error) {
	if account.GithubID != 0 && identity.GithubID != 0 && account.GithubID != identity.GithubID {
		c.options.Log.Warn("a login came back with another github id", "login", account.Login,
			"held", account.GithubID, "given", identity.GithubID)
		return nil, fault.New(fault.Forbidden, "This login belongs to an account of another GitHub user: ask an administrator to release it.")
	}
	params, known := &stripe.CustomerParams{}, *account
	if identity.Email != "" && (account.Email == nil || *account.Email != identity.Email) {
		params.Email, known.Email = &identity.Email, &identity.Email
	}
	if identity.GithubID != account.GithubID && identity.GithubID != 0 {
		params.Metadata = map[string]string{metaGithubID: strconv.FormatInt(identity.GithubID, 10)}
		known.GithubID = identity.GithubID
	}
	if params.Email == nil && params.Metadata == nil {
		return account, nil
	}
	params.Context = ctx
	customer, err := c.stripe.customers.Update(account.CustomerID, params)
	if err != nil {
		c.accounts.Invalidate(account.CustomerID)
		return nil, c.translate(err)
	}
	c.written(ctx, customer)
	return &known, nil
}

// written drops what is held of a customer that was just written, here and elsewhere.
// The answer itself is not held: somebody may have written after us, and told of it.
func (c *Client) written(ctx context.Context, customer *stripe.Customer) {
	notices := noticesOf(customer)
	c.Hear(notices)
	c.announce(ctx, notices)
}
