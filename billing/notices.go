package billing

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
)

// A notice tells replicas of one change at Stripe: its kind, and what follows it behind
// colons.
const (
	// customer:ID: the customer or a subscription of it changed.
	noticeCustomer = "customer"
	// login:LOGIN:ID:CREATED: the login is this customer's.
	noticeLogin = "login"
	// revoked:ID: the customer's access tokens ended, or its role changed, so that nothing
	// older than this may be served of it, not even while Stripe is away.
	noticeRevoked = "revoked"
	// left:LOGIN:ID: the login is no longer this customer's.
	noticeLeft = "left"
	// gone:LOGIN:ID: the customer was deleted.
	noticeGone = "gone"
	// product:ID: a product changed.
	noticeProduct = "product"
	// price:ID: a price of this product changed.
	noticePrice = "price"
	// event:ID: the notices beside it tell all of this event.
	noticeEvent = "event"
	// all, which nobody sends, is that anything may have changed.
	noticeAll = "all"
)

func notice(words ...string) string { return strings.Join(words, ":") }

// noticesOf are those of a customer that was created or changed.
func noticesOf(customer *stripe.Customer) []string {
	notices := []string{notice(noticeCustomer, customer.ID)}
	if login := loginOf(customer); login != "" {
		notices = append(notices, notice(noticeLogin, login, customer.ID, strconv.FormatInt(customer.Created, 10)))
	}
	return notices
}

// Hear takes notice of what another replica announced: what is held of it is asked for
// anew when it is next read.
func (c *Client) Hear(notices []string) {
	for _, text := range notices {
		if !c.hear(text) {
			// A newer version of ours knows more kinds.
			c.options.Log.Warn("a notice of an unknown kind: everything is read anew", "notice", text)
			c.HearAll()
			return
		}
	}
}

// HearAll is Hear for a replica that missed notices: everything may have changed. Among
// them may be the end of tokens or of a role, so that no account from before is proven.
func (c *Client) HearAll() {
	c.missed.Store(c.accounts.Mark() + 1)
	c.accounts.InvalidateAll()
	c.usage.InvalidateAll()
	c.unknown.InvalidateAll()
	c.apart(noticeAll)
}

// hear is false for a notice that it does not know.
func (c *Client) hear(text string) bool {
	kind, rest, _ := strings.Cut(strings.Clone(text), ":")
	switch kind {
	case noticeCustomer:
		c.problems.clear("customer " + rest + ":")
		c.accounts.Invalidate(rest)
		c.watchers.wakeCustomer(rest)
	case noticeRevoked:
		c.accounts.Forget(rest)
		c.watchers.wakeCustomer(rest)
	case noticeLogin:
		return c.hearLogin(strings.Split(rest, ":"))
	case noticeLeft, noticeGone:
		login, id, ok := strings.Cut(rest, ":")
		if !ok {
			return false
		}
		if kind == noticeGone {
			c.directory.bury(id)
		}
		c.directory.forget(login, id)
		c.accounts.Invalidate(id)
		c.watchers.wake(login)
	case noticeProduct, noticePrice:
		c.apart(notice(kind, rest))
	case noticeEvent:
		c.seen.add(rest, true)
	default:
		return false
	}
	return true
}

func (c *Client) hearLogin(words []string) bool {
	if len(words) != 3 {
		return false
	}
	created, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil {
		return false
	}
	if held, known := c.directory.lookup(words[0]); known && held != words[1] {
		c.accounts.Invalidate(held) // the login was free, so that one may be gone: its next read tells
	}
	c.directory.note(words[0], place{customerID: words[1], created: created})
	c.unknown.Invalidate(words[0])
	c.watchers.bind(words[0], words[1])
	c.watchers.wake(words[0])
	return true
}

// announceTimeout bounds how long a write waits until the other replicas are told.
const announceTimeout = 5 * time.Second

// tell announces to the other replicas, also where the caller is gone by now.
func (c *Client) tell(ctx context.Context, notices []string) error {
	if c.options.Announce == nil || len(notices) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTimeout)
	defer cancel()
	return c.options.Announce(ctx, notices)
}

// announce tells the other replicas of a write of our own. It stands whether they hear
// of it now or by Stripe's event.
func (c *Client) announce(ctx context.Context, notices []string) {
	if err := c.tell(ctx, notices); err != nil {
		c.options.Log.Warn("the other replicas were not told of a write: they learn of it by stripe's event", "error", err)
	}
}
