package billing

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
)

const (
	// eventOverlap is how much later than others an event may show in the list, in seconds.
	eventOverlap = 60
	// catchUpPages bounds one catching up; further behind everything is read anew.
	catchUpPages = 20
	// catchUpAgain is the pause after one that failed: while Stripe is taken to be down it
	// is this that finds out when it answers again.
	catchUpAgain = 2 * time.Second
	// mendAgain is the pause while the plans are not as they must be.
	mendAgain = 10 * time.Second
)

// catchUp is how far the list of events was read.
type catchUp struct {
	mu sync.Mutex
	// newest is the creation time of the newest event read.
	newest int64
	// unsettled are the customers of whom events told that a subscription replaces others,
	// which is still to be done.
	unsettled []string
}

// maxUnsettled bounds the customers still to be settled: of others a read sees it.
const maxUnsettled = 1000

// settle takes note of a customer to be settled, with the lock held.
func (u *catchUp) settle(customerID string) {
	if customerID != "" && len(u.unsettled) < maxUnsettled && !slices.Contains(u.unsettled, customerID) {
		u.unsettled = append(u.unsettled, customerID)
	}
}

// beginEvents notes where the list of events ends now: what is read of Stripe from here
// on is newer.
//
// Stripe: GET /v1/events?types[]=&limit=100.
func (c *Client) beginEvents(ctx context.Context) error {
	c.caught.mu.Lock()
	defer c.caught.mu.Unlock()
	params := eventList(ctx)
	params.Single = true
	events := c.stripe.changes.List(params)
	for events.Next() {
		event := events.Event()
		c.seen.add(event.ID, false)
		c.caught.newest = max(c.caught.newest, event.Created)
	}
	switch err := events.Err(); {
	case c.refused(err):
		return nil
	case err != nil:
		return c.translate(err)
	}
	c.problems.clear(noEvents)
	return nil
}

// CatchUp reads the events since the last one that was read, and drops what they
// changed: so a lost webhook heals. Client does it by itself from Start on. The other
// replicas, who do the same, are not told.
//
// Stripe: GET /v1/events?types[]=&created[gte]=, once for each hundred events; for each
// customer whose subscription began what settleReplaced makes.
func (c *Client) CatchUp(ctx context.Context) error {
	c.caught.mu.Lock()
	defer c.caught.mu.Unlock()
	params := eventList(background(ctx))
	if since := c.caught.newest - eventOverlap; since > 0 {
		params.CreatedRange = &stripe.RangeQueryParams{GreaterThanOrEqual: since}
	}
	events := c.stripe.changes.List(params)
	var fresh []*stripe.Event
	// known counts the events at the end of what was read that were heeded before.
	read, known, newest := 0, 0, c.caught.newest
	for read < catchUpPages*100 && events.Next() {
		read++
		known++
		event := events.Event()
		newest = max(newest, event.Created)
		if !c.seen.has(event.ID) {
			fresh, known = append(fresh, event), 0
		}
	}
	if err := events.Err(); err != nil {
		if c.refused(err) {
			c.HearAll()
			return nil
		}
		return c.translate(err)
	}
	c.problems.clear(noEvents)
	if read == catchUpPages*100 && known < 100 {
		c.options.Log.Warn("too many events to catch up with: everything is read anew", "events", read)
		c.HearAll()
	}
	for _, event := range slices.Backward(fresh) {
		c.Hear(noticesOfEvent(event))
		c.caught.settle(buyer(event))
		c.seen.add(event.ID, false)
		c.metrics.events.WithLabelValues("list").Inc()
	}
	c.caught.newest = newest
	c.metrics.caughtUp.Set(float64(c.options.Now().Unix()))
	c.settleCaught(background(ctx))
	return nil
}

func eventList(ctx context.Context) *stripe.EventListParams {
	params := &stripe.EventListParams{}
	params.Context, params.Limit = ctx, stripe.Int64(100)
	for _, kind := range eventTypes {
		params.Types = append(params.Types, stripe.String(string(kind)))
	}
	return params
}

// noEvents is how the problem begins that the key may not read events.
const noEvents = "the key may not read events"

// refused tells whether the key may not read events. Then nothing tells of changes that
// no webhook brought, and all that is held is old after each round. A key that is not
// valid at all is a failure like others.
func (c *Client) refused(err error) bool {
	if !forbidden(err) {
		return false
	}
	c.problem(noEvents + ": without them everything is read anew every " + c.options.CatchUpEvery.String())
	return true
}

// keepUp catches up again and again until Close, at times that differ among replicas.
func (c *Client) keepUp() {
	every := func() time.Duration { return c.options.CatchUpEvery*9/10 + rand.N(c.options.CatchUpEvery/5+1) }
	down := false
	for pause := every(); ; {
		select {
		case <-c.life.Done():
			return
		case <-c.stripe.opened:
			pause = min(pause, catchUpAgain)
			continue
		case <-time.After(pause):
		}
		err := c.CatchUp(c.life)
		switch {
		case err == nil && down:
			// Who watches may have been given old values meanwhile.
			c.watchers.wakeAll()
			pause = every()
		case err == nil:
			pause = every()
		default:
			pause = every()
			if fault.KindOf(err) != fault.Internal { // that is no outage, but such as a key that is not valid
				pause = min(pause, catchUpAgain)
			}
			c.options.Log.Debug("the events could not be read", "error", err, "again", pause)
		}
		down = err != nil
		if err == nil && c.Ready() != nil {
			pause = min(pause, mendAgain)
			c.mend()
		}
	}
}

// mend reads the plans anew while something is missing of them: no event tells of a meter,
// and a gateway that is not ready gets no request that would read them.
func (c *Client) mend() {
	c.meter.InvalidateAll()
	c.offered.InvalidateAll()
	c.prices.InvalidateAll()
	c.catalog.InvalidateAll()
	if _, err := c.plans(background(c.life)); err != nil && c.life.Err() == nil {
		c.options.Log.Warn("the plans could not be read", "error", err)
	}
}
