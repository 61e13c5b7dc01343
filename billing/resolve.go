package billing

import (
	"context"

	"github.com/stripe/stripe-go/v76"
)

// resolve is the customer of a login: the directory's, else what Stripe says now. A
// login that nobody has is remembered for half a minute, or until it is signed up.
//
// Stripe, for a login not in the directory: GET /v1/customers?created[gte]=...,
// GET /v1/customers/search.
func (c *Client) resolve(ctx context.Context, login string) (string, error) {
	if id, ok := c.directory.lookup(login); ok {
		return id, nil
	}
	return c.unknown.Get(ctx, login, func(ctx context.Context) (string, error) { return c.find(ctx, login) })
}

// The bounds of find's look at the newest customers.
const (
	overlap     = 120 // seconds
	newestPages = 10
)

// find looks at the customers created since the newest one known, since lists show a
// write at once, and asks Search, which lags, for a customer whose metadata came later.
// While the directory is being filled Search goes first: it knows the older ones.
func (c *Client) find(ctx context.Context, login string) (string, error) {
	search := func(ctx context.Context) error { return c.search(ctx, login) }
	steps := []func(context.Context) error{c.readNewest, search}
	if _, complete := c.directory.size(); !complete {
		steps = []func(context.Context) error{search, c.readNewest}
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return "", c.translate(err)
		}
		if id, ok := c.directory.lookup(login); ok {
			return id, nil
		}
	}
	return "", noAccount()
}

func (c *Client) search(ctx context.Context, login string) error {
	params := &stripe.CustomerSearchParams{SearchParams: stripe.SearchParams{
		Context: ctx, Query: "metadata['drydock.login']:'" + login + "'", Limit: stripe.Int64(100), Single: true,
	}}
	found := c.stripe.customers.Search(params)
	for found.Next() {
		c.directory.learn(found.Customer())
	}
	return found.Err()
}

func (c *Client) readNewest(ctx context.Context) error {
	params := &stripe.CustomerListParams{}
	params.Context, params.Limit = ctx, stripe.Int64(100)
	pages := 1
	if newest := c.directory.horizon(); newest > 0 {
		params.CreatedRange = &stripe.RangeQueryParams{GreaterThanOrEqual: newest - overlap}
		pages = newestPages
	}
	customers := c.stripe.customers.List(params)
	for n := 0; n < pages*100 && customers.Next(); n++ {
		c.directory.learn(customers.Customer())
	}
	return customers.Err()
}
