package billing

import (
	"context"
	"sync"
	"time"

	"github.com/stripe/stripe-go/v76"
)

// fillers is how many pages of customers are asked for at once; the limiter decides how
// many a second.
const fillers = 10

// span is a range of creation times still to be read, newest first: (from, to], behind
// the customer after where there is one.
type span struct {
	from, to int64
	after    string
}

// fill reads all customers by ranges of their creation times. A worker without a range
// takes half of another one's rest, so that the ranges follow the customers, wherever
// they crowd.
type fill struct {
	mu   sync.Mutex
	wake *sync.Cond
	// idle are workers that wait for a range, spare the ranges that wait for a worker.
	idle, busy int
	spare      []span
}

// fillDirectory reads all customers, until Close where Stripe does not answer.
//
// Stripe: GET /v1/customers?created[gte]=&created[lte]=, once for each hundred
// customers, and some more to find where they are.
func (c *Client) fillDirectory() {
	ctx := background(c.life)
	began := time.Now()
	f := &fill{spare: []span{{to: forever}}}
	f.wake = sync.NewCond(&f.mu)
	defer context.AfterFunc(ctx, f.wakeAll)()
	var workers sync.WaitGroup
	for range fillers {
		workers.Go(func() {
			for {
				next, ok := f.take(ctx)
				if !ok {
					return
				}
				c.fillSpan(ctx, f, next)
			}
		})
	}
	workers.Wait()
	if ctx.Err() == nil {
		c.directory.filled()
		accounts, _ := c.directory.size()
		c.options.Log.Info("the directory of accounts is complete", "accounts", accounts, "took", time.Since(began))
	}
}

// forever is a time behind all customers.
const forever = int64(1) << 40

const (
	// noCustomers is how the problem begins that the key may not list customers.
	noCustomers = "the key may not read customers"
	// forbiddenAgain is the pause until they are asked for again.
	forbiddenAgain = 5 * time.Minute
)

// fillSpan reads a range to its end, giving halves of it away. A page that fails is
// asked for again.
func (c *Client) fillSpan(ctx context.Context, f *fill, rest span) {
	defer f.done()
	for pause := time.Second; ; {
		width, more, err := c.fillPage(ctx, &rest)
		switch {
		case err == nil && !more:
			c.problems.clear(noCustomers)
			return
		case err == nil:
			c.problems.clear(noCustomers)
			pause = time.Second
			if rest.to-rest.from > worthSharing*width {
				f.share(&rest)
			}
			continue
		case rest.after != "" && missing(err):
			rest.after = "" // It was deleted meanwhile: its second is read anew.
			continue
		}
		if forbidden(err) {
			// Somebody gives it the permission, or nobody does: there is no hurry.
			c.problem(noCustomers + ": nobody's account is found")
			pause = forbiddenAgain
		}
		c.options.Log.Debug("a page of the directory failed", "error", err, "again", pause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			pause = min(2*pause, 30*time.Second)
		}
	}
}

// worthSharing is how many pages a range must hold, if its rest is as dense as the last
// page was: each range costs a page that is not full.
const worthSharing = 3

// fillPage reads one page and moves the range behind it; width is how many seconds the
// page's customers are apart.
func (c *Client) fillPage(ctx context.Context, rest *span) (width int64, more bool, err error) {
	params := &stripe.CustomerListParams{CreatedRange: &stripe.RangeQueryParams{GreaterThan: rest.from}}
	params.Context, params.Limit, params.Single = ctx, stripe.Int64(100), true
	if rest.to != forever {
		params.CreatedRange.LesserThanOrEqual = rest.to
	}
	if rest.after != "" {
		params.StartingAfter = &rest.after
	}
	newest := int64(0)
	customers := c.stripe.customers.List(params)
	for customers.Next() {
		customer := customers.Customer()
		c.directory.learn(customer)
		newest = max(newest, customer.Created)
		rest.to, rest.after = customer.Created, customer.ID
	}
	if err := customers.Err(); err != nil {
		return 0, false, err
	}
	return newest - rest.to, customers.Meta().HasMore, nil
}

// take waits for a range; not ok when all are read, or ctx ended.
func (f *fill) take(ctx context.Context) (span, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle++
	defer func() { f.idle-- }()
	for len(f.spare) == 0 {
		if f.busy == 0 || ctx.Err() != nil {
			return span{}, false
		}
		f.wake.Wait()
	}
	next := f.spare[len(f.spare)-1]
	f.spare = f.spare[:len(f.spare)-1]
	f.busy++
	return next, ctx.Err() == nil
}

// share gives the older half of a range to a worker that waits.
func (f *fill) share(rest *span) {
	f.mu.Lock()
	defer f.mu.Unlock()
	middle := rest.from + (rest.to-rest.from)/2
	if f.idle <= len(f.spare) || middle <= rest.from || middle >= rest.to {
		return
	}
	f.spare = append(f.spare, span{from: rest.from, to: middle})
	rest.from = middle
	f.wake.Signal()
}

func (f *fill) done() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy--
	if f.busy == 0 {
		f.wake.Broadcast()
	}
}

func (f *fill) wakeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wake.Broadcast()
}
