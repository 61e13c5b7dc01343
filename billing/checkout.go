package billing

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// Checkout opens a page at Stripe on which the account of a login buys a plan, and gives
// the page's address. The page leads back to returnURL with the query checkout=success or
// checkout=cancelled. A plan that the account runs already is replaced once the new one
// runs, see settleReplaced. The same key with the same outcome gives the same page for a
// day; an empty key is like no other. An account's first trial is its only one: a page with
// one closes those that were opened before.
//
// A plan that is not for sale is fault.BadUserInput, the plan that the account has
// already fault.Conflict.
//
// Stripe: GET /v1/subscriptions?customer=&status=all, POST /v1/checkout/sessions; before
// that what Account and Plans make, and for a trial what closeTrials makes.
func (c *Client) Checkout(ctx context.Context, login, productID, returnURL, key string) (string, error) {
	account, err := c.Account(ctx, login)
	if err != nil {
		return "", err
	}
	sale, err := c.sale(ctx, productID)
	if err != nil {
		return "", err
	}
	held, err := c.subscriptions(ctx, account.CustomerID, "all")
	if err != nil {
		return "", err
	}
	replaces, err := c.replacedBy(ctx, held, sale.product)
	if err != nil {
		return "", err
	}
	params := &stripe.CheckoutSessionParams{
		Mode: stripe.String("subscription"), Customer: &account.CustomerID, ClientReferenceID: &account.Login,
		AllowPromotionCodes: stripe.Bool(true), LineItems: sale.lines(),
		SuccessURL: back(returnURL, "success"), CancelURL: back(returnURL, "cancelled"),
		SubscriptionData: &stripe.CheckoutSessionSubscriptionDataParams{
			Metadata: map[string]string{metaLogin: account.Login, metaReplaces: replaces},
		},
	}
	params.Context = ctx
	trial := 0
	if len(held) == 0 {
		trial = c.trialDays(sale.product)
	}
	params.SetIdempotencyKey(idempotencyKey("checkout",
		keySum(key, account.CustomerID, sale.fingerprint(), returnURL, replaces, strconv.Itoa(trial))))
	if trial > 0 {
		if err := c.closeTrials(ctx, account.CustomerID, *params.IdempotencyKey); err != nil {
			return "", err
		}
		params.SubscriptionData.TrialPeriodDays = stripe.Int64(int64(trial))
		params.AddMetadata(metaTrial, *params.IdempotencyKey)
	}
	session, err := untilKept(c, &params.Params, func() (*stripe.CheckoutSession, error) { return c.stripe.sessions.New(params) })
	if err != nil {
		return "", c.unsold(err)
	}
	return session.URL, nil
}

// sale is a product with the prices to buy it at; metered may be nil.
type sale struct {
	product           *stripe.Product
	licensed, metered *stripe.Price
}

// sale is what a plan is bought at, which one with a price has.
func (c *Client) sale(ctx context.Context, productID string) (*sale, error) {
	plans, err := c.plans(ctx)
	if err != nil {
		return nil, err
	}
	plan := plans.byID[productID]
	switch {
	case plan == nil:
		return nil, fault.New(fault.BadUserInput, "This plan is not on offer: choose one of plans.")
	case plan.Default || free(plan):
		return nil, fault.New(fault.BadUserInput, "The plan %s costs nothing: to go back to it, cancel your plan in the customer portal.", plan.Name)
	case plan.Price == nil:
		return nil, fault.New(fault.BadUserInput, "The plan %s has no price: ask an administrator for it.", plan.Name)
	}
	return plans.sales[productID], nil
}

func free(plan *model.Plan) bool {
	return plan.Price != nil && plan.Price.UnitAmount == 0 && plan.Price.MeteredUnitAmountPerMinute == nil
}

// lines are the items to buy: a metered price goes without a quantity.
func (s *sale) lines() []*stripe.CheckoutSessionLineItemParams {
	lines := []*stripe.CheckoutSessionLineItemParams{{Price: &s.licensed.ID, Quantity: stripe.Int64(1)}}
	if s.metered != nil {
		lines = append(lines, &stripe.CheckoutSessionLineItemParams{Price: &s.metered.ID})
	}
	return lines
}

func (s *sale) fingerprint() string {
	ids := []string{s.product.ID, s.licensed.ID}
	if s.metered != nil {
		ids = append(ids, s.metered.ID)
	}
	return strings.Join(ids, " ")
}

// replacedBy is the subscription that a purchase takes the place of, or none; of others
// that the customer has beside our plans it is none.
func (c *Client) replacedBy(ctx context.Context, held []*stripe.Subscription, product *stripe.Product) (string, error) {
	for _, subscription := range byRank(held) {
		if subscription.Status == stripe.SubscriptionStatusIncomplete {
			continue
		}
		if productOf(subscription) == product.ID {
			return "", fault.New(fault.Conflict, "You have the plan %s already: the customer portal shows how it stands.", product.Name)
		}
		switch ours, err := c.isOurs(ctx, productOf(subscription)); {
		case err != nil:
			return "", err
		case ours:
			return subscription.ID, nil
		}
	}
	return replacesNone, nil
}

// subscriptions reads a customer's, newest first; status all has the ended ones too.
//
// Stripe: GET /v1/subscriptions?customer=, once for each hundred.
func (c *Client) subscriptions(ctx context.Context, customerID, status string) ([]*stripe.Subscription, error) {
	params := &stripe.SubscriptionListParams{Customer: &customerID}
	if status != "" {
		params.Status = &status
	}
	params.Context, params.Limit = ctx, stripe.Int64(100)
	var found []*stripe.Subscription
	list := c.stripe.subscriptions.List(params)
	for list.Next() {
		found = append(found, list.Subscription())
	}
	return found, c.translate(list.Err())
}

// unsold translates why a session was not made. What Stripe finds wrong with a line is a
// price that changed since it was read.
func (c *Client) unsold(err error) error {
	var refused *stripe.Error
	if errors.As(err, &refused) && strings.HasPrefix(refused.Param, "line_items") {
		c.prices.Invalidate(catalogKey)
		c.catalog.Invalidate(catalogKey)
		return &fault.Error{Kind: fault.Conflict, Cause: err,
			Message: "The plan's price changed a moment ago: look at it again, then try once more."}
	}
	if usedBefore(err) {
		return &fault.Error{Kind: fault.Conflict, Message: "This clientMutationID was used for something else: choose a new one.", Cause: err}
	}
	return c.translate(err)
}

// back is where a page leads to, and how it was left.
func back(returnURL, outcome string) *string {
	address, err := url.Parse(returnURL)
	if err != nil {
		return &returnURL
	}
	query := address.Query()
	query.Set("checkout", outcome)
	address.RawQuery = query.Encode()
	return stripe.String(address.String())
}

// keySum is of a client's key and all else that its request says, so that no two different
// requests share one. Without a client's key it is like no other.
func keySum(key string, parts ...string) [sha256.Size]byte {
	if key == "" {
		key = rand.Text()
	}
	return sha256.Sum256([]byte(strings.Join(slices.Insert(parts, 0, key), "\x00")))
}

func idempotencyKey(purpose string, sum [sha256.Size]byte) string {
	return "drydock-" + purpose + "-" + hex.EncodeToString(sum[:])
}
