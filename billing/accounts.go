package billing

import (
	"context"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// accountList names the list in its cursors.
const accountList = "accounts"

// accountPages bounds the requests of one page: that many times a hundred customers
// that are not ours may stand between two that are.
const accountPages = 10

// Accounts returns a page of all accounts, newest first, Total -1. What it read fills
// the cache of Account.
//
// Stripe: GET /v1/customers?limit=&starting_after=&expand[]=data.subscriptions; again
// where customers that are not ours left the page short, at most 10 times.
func (c *Client) Accounts(ctx context.Context, page model.Page) (model.Slice[*model.Account], error) {
	var slice model.Slice[*model.Account]
	if page.First < 1 || page.First > model.MaxPage {
		return slice, fault.New(fault.BadUserInput, "first must be from 1 to %d.", model.MaxPage)
	}
	after := ""
	if page.After != "" {
		key, ok := model.DecodeCursor(page.After, accountList, 1)
		if !ok {
			return slice, fault.New(fault.BadUserInput, "after is not a cursor of this list: give an endCursor as it came.")
		}
		after = key[0]
	}
	slice.Total, slice.HasPrevious = -1, after != ""
	limit := page.First
	for range accountPages {
		customers, more, err := c.accountPage(ctx, after, limit)
		if err != nil {
			return model.Slice[*model.Account]{}, err
		}
		for i, customer := range customers {
			after = customer.id
			if customer.record == nil {
				continue
			}
			slice.Items = append(slice.Items, customer.record.account)
			slice.Cursors = append(slice.Cursors, model.EncodeCursor(accountList, after))
			if len(slice.Items) == page.First {
				slice.HasNext = more || i < len(customers)-1
				return slice, nil
			}
		}
		if !more {
			return slice, nil
		}
		limit = model.MaxPage
	}
	slice.HasNext = true
	if n := len(slice.Cursors); n > 0 {
		// The next page begins behind everything that was passed over.
		slice.Cursors[n-1] = model.EncodeCursor(accountList, after)
	}
	return slice, nil
}

// listed is a customer of a page; record is nil where it is not ours.
type listed struct {
	id     string
	record *record
}

func (c *Client) accountPage(ctx context.Context, after string, limit int) (page []listed, more bool, err error) {
	mark := c.accounts.Mark()
	params := &stripe.CustomerListParams{}
	params.Context, params.Limit, params.Single = ctx, stripe.Int64(int64(limit)), true
	params.AddExpand("data.subscriptions")
	if after != "" {
		params.StartingAfter = stripe.String(after)
	}
	customers := c.stripe.customers.List(params)
	for customers.Next() {
		customer := customers.Customer()
		item := listed{id: customer.ID}
		c.directory.learn(customer)
		// A second customer of a login is not the account.
		if login := loginOf(customer); login != "" && c.isAccount(login, customer.ID) {
			if item.record, err = c.recordOf(ctx, customer, mark); err != nil {
				return nil, false, err
			}
			c.accounts.Put(mark, customer.ID, item.record)
		}
		page = append(page, item)
	}
	if err := customers.Err(); err != nil {
		if after != "" && missing(err) {
			return nil, false, fault.New(fault.Conflict, "The account that the page was to begin after is gone: start again without a cursor.")
		}
		return nil, false, c.translate(err)
	}
	return page, customers.Meta().HasMore, nil
}

func (c *Client) isAccount(login, customerID string) bool {
	id, ok := c.directory.lookup(login)
	return ok && id == customerID
}
