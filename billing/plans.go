package billing

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

const catalogKey = "catalog"

// catalog is all plans at one time.
type catalog struct {
	// all is cheapest first.
	all  []*model.Plan
	byID map[string]*model.Plan
	// sales are what those with a price are bought at.
	sales map[string]*sale
	// standard is the plan of accounts without a subscription; nil where none is marked.
	standard *model.Plan
}

// Plans returns the plans on offer, cheapest first. They are read at Start, and again
// when Stripe tells of a change.
//
// Stripe: GET /v1/products?active=true, GET /v1/prices?active=true&type=recurring; behind a
// change of a product, or of a price, that one alone.
func (c *Client) Plans(ctx context.Context) ([]*model.Plan, error) {
	plans, err := c.plans(ctx)
	if err != nil {
		return nil, err
	}
	return plans.all, nil
}

// Plan returns the plan of a product, also of one that is no longer on offer but that
// a subscription may still have. Others are fault.NotFound.
//
// Stripe: none for a plan on offer; else GET /v1/products/{id},
// GET /v1/prices?product=&active=true&type=recurring.
func (c *Client) Plan(ctx context.Context, productID string) (*model.Plan, error) {
	plans, err := c.plans(ctx)
	if err != nil {
		return nil, err
	}
	if plan, ok := plans.byID[productID]; ok {
		return plan, nil
	}
	found, err := c.offer(ctx, productID)
	if err != nil {
		return nil, err
	}
	return c.planOf(found.product, found.prices, plans.standard), nil
}

// PlanOf returns the plan of an account: its subscription's, or the default plan.
//
// Stripe: as Plan.
func (c *Client) PlanOf(ctx context.Context, account *model.Account) (*model.Plan, error) {
	if account.PlanID != "" {
		plan, err := c.Plan(ctx, account.PlanID)
		if fault.KindOf(err) != fault.NotFound || err == nil {
			return plan, err
		}
	}
	plans, err := c.plans(ctx)
	if err != nil {
		return nil, err
	}
	if plans.standard == nil {
		return nil, fault.New(fault.Unavailable, "No plan is set up for accounts without a subscription: an administrator marks one in Stripe.")
	}
	return plans.standard, nil
}

// AccountPlan is the plan that holds for a login; unknown logins are fault.NotFound.
//
// Stripe: as Account and PlanOf.
func (c *Client) AccountPlan(ctx context.Context, login string) (*model.Plan, error) {
	account, err := c.Account(ctx, login)
	if err != nil {
		return nil, err
	}
	return c.PlanOf(ctx, account)
}

// PlanNow is PlanOf with the limits as they are at this moment, for what the limits
// are about to decide, such as a build's start. When Stripe fails, or takes about a second
// (three times the patience), PlanOf's answer holds.
//
// Stripe: GET /v1/products/{id}, shared by those who ask at once.
func (c *Client) PlanNow(ctx context.Context, account *model.Account) (*model.Plan, error) {
	plan, err := c.PlanOf(ctx, account)
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, 3*c.options.Patience)
	defer cancel()
	product, err := c.productNow(waiting, plan.ProductID)
	if err != nil {
		c.options.Log.Warn("the plan's limits may be old", "product", plan.ProductID, "error", err)
		return plan, nil
	}
	plans, err := c.plans(ctx)
	if err != nil {
		return nil, err
	}
	fresh := *plan
	fresh.Limits = c.limitsOf(product, plans.standard)
	if !reflect.DeepEqual(fresh.Limits, plan.Limits) {
		// The change's webhook is late, or lost.
		c.Hear([]string{notice(noticeProduct, product.ID)})
	}
	return &fresh, nil
}

// beginPlans reads the plans; they are to be held from here on.
func (c *Client) beginPlans(ctx context.Context) error {
	if _, err := c.plans(ctx); err != nil {
		return err
	}
	if _, held := c.catalog.Peek(catalogKey); !held {
		return errors.New("the plans changed while they were read")
	}
	return nil
}

func (c *Client) plans(ctx context.Context) (*catalog, error) {
	plans, err := c.catalog.Get(ctx, catalogKey, c.readCatalog)
	return plans, c.translate(err)
}

func (c *Client) readCatalog(ctx context.Context) (*catalog, error) {
	// The meter tells which metered price is ours. Without one the plans still hold.
	if _, err := c.meterID(ctx); err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	offered, err := c.offered.Get(ctx, catalogKey, c.readOffered)
	if err != nil {
		return nil, err
	}
	prices, err := c.prices.Get(ctx, catalogKey, c.readAllPrices)
	if err != nil {
		return nil, err
	}
	return c.catalogOf(offered, prices), nil
}

// readAllPrices reads the prices of every product.
func (c *Client) readAllPrices(ctx context.Context) ([]*stripe.Price, error) {
	return c.readPrices(ctx, "")
}

// readOffered reads the active products that are plans.
func (c *Client) readOffered(ctx context.Context) ([]*stripe.Product, error) {
	params := &stripe.ProductListParams{Active: stripe.Bool(true)}
	params.Context, params.Limit = ctx, stripe.Int64(100)
	var offered []*stripe.Product
	products := c.stripe.products.List(params)
	for products.Next() {
		if isPlan(products.Product()) {
			offered = append(offered, products.Product())
		}
	}
	return offered, c.translate(products.Err())
}

func (c *Client) catalogOf(offered []*stripe.Product, prices []*stripe.Price) *catalog {
	c.problems.clear("product ")
	plans := &catalog{byID: map[string]*model.Plan{}, sales: map[string]*sale{}}
	var standard []*stripe.Product
	for _, product := range offered {
		if product.Metadata[metaDefault] == "true" {
			standard = append(standard, product)
		}
	}
	slices.SortFunc(standard, func(a, b *stripe.Product) int { return cmp.Compare(a.Created, b.Created) })
	for _, product := range standard {
		if plans.standard == nil {
			plans.standard = c.planOf(product, prices, nil)
			continue
		}
		c.problem("product " + product.ID + ": a second default plan; " + plans.standard.ProductID + " holds")
	}
	for _, product := range offered {
		plan := plans.standard
		if plan == nil || plan.ProductID != product.ID {
			plan = c.planOf(product, prices, plans.standard)
			plan.Default = false
		}
		plans.all = append(plans.all, plan)
		plans.byID[product.ID] = plan
		if licensed, metered := c.pricesOf(product, prices); licensed != nil {
			plans.sales[product.ID] = &sale{product, licensed, metered}
		}
	}
	slices.SortFunc(plans.all, func(a, b *model.Plan) int {
		return cmp.Or(cmp.Compare(amountOf(a), amountOf(b)), cmp.Compare(a.Name, b.Name))
	})
	return plans
}

func amountOf(plan *model.Plan) int {
	if plan.Price == nil {
		return 0
	}
	return plan.Price.UnitAmount
}

// planOf converts a product with those of the prices that are its own.
func (c *Client) planOf(product *stripe.Product, prices []*stripe.Price, standard *model.Plan) *model.Plan {
	plan := &model.Plan{
		ProductID: product.ID, Name: product.Name, Default: product.Metadata[metaDefault] == "true",
		Price: c.priceOf(product, prices), Limits: c.limitsOf(product, standard),
	}
	if product.Description != "" {
		plan.Description = &product.Description
	}
	return plan
}

func isPlan(product *stripe.Product) bool { return product.Metadata[metaPlan] == "true" }
