package billing

import (
	"context"
	"sync"

	"github.com/stripe/stripe-go/v76"
)

// directory knows which customer a login is. It is filled at start and learns from
// every customer read; it may miss some, never invent one.
type directory struct {
	problem func(string)

	mu        sync.RWMutex
	customers map[string]place
	// newest is the creation time of the newest customer seen, ours or not.
	newest   int64
	complete bool
}

type place struct {
	customerID string
	created    int64
}

func newDirectory(problem func(string)) *directory {
	return &directory{problem: problem, customers: map[string]place{}}
}

func (d *directory) lookup(login string) (string, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	found, ok := d.customers[login]
	return found.customerID, ok
}

// learn takes note of a customer. Of several with one login the oldest is the account.
func (d *directory) learn(customer *stripe.Customer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.newest = max(d.newest, customer.Created)
	login := loginOf(customer)
	if login == "" || customer.Deleted {
		return
	}
	found := place{customerID: customer.ID, created: customer.Created}
	held, ok := d.customers[login]
	if ok && held.customerID != found.customerID {
		first, second := held, found
		if found.created < held.created || found.created == held.created && found.customerID < held.customerID {
			first, second = found, held
		}
		d.problem("customers " + first.customerID + " and " + second.customerID + ": both have the login " + login +
			"; the older one is the account")
		found = first
	}
	d.customers[login] = found
}

// forget drops a login that is no longer this customer's.
func (d *directory) forget(login, customerID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.customers[login].customerID == customerID {
		delete(d.customers, login)
	}
}

func (d *directory) size() (accounts int, complete bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.customers), d.complete
}

func (d *directory) horizon() int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.newest
}

// fillDirectory reads all customers, page by page.
func (c *Client) fillDirectory(ctx context.Context) error {
	params := &stripe.CustomerListParams{}
	params.Context, params.Limit = ctx, stripe.Int64(100)
	customers := c.stripe.customers.List(params)
	for customers.Next() {
		c.directory.learn(customers.Customer())
	}
	if err := customers.Err(); err != nil {
		return c.translate(err)
	}
	c.directory.mu.Lock()
	defer c.directory.mu.Unlock()
	c.directory.complete = true
	return nil
}

// resolve is the customer of a login: the directory's, else what Stripe says now. A
// login that nobody has is remembered for a few seconds.
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

// find looks first at the customers created since the newest one known, since lists
// show a write at once, then asks Search, which lags, for a customer whose metadata
// came later.
func (c *Client) find(ctx context.Context, login string) (string, error) {
	if err := c.catchUp(ctx); err != nil {
		return "", c.translate(err)
	}
	if id, ok := c.directory.lookup(login); ok {
		return id, nil
	}
	search := &stripe.CustomerSearchParams{SearchParams: stripe.SearchParams{
		Context: ctx, Query: "metadata['drydock.login']:'" + login + "'", Limit: stripe.Int64(100), Single: true,
	}}
	found := c.stripe.customers.Search(search)
	for found.Next() {
		c.directory.learn(found.Customer())
	}
	if err := found.Err(); err != nil {
		return "", c.translate(err)
	}
	if id, ok := c.directory.lookup(login); ok {
		return id, nil
	}
	return "", noAccount()
}

func (c *Client) catchUp(ctx context.Context) error {
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
