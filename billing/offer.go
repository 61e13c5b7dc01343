package billing

import (
	"context"
	"regexp"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
)

// legalProduct is what an id may look like that comes from a client: it goes into a
// request's path.
var legalProduct = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)

// offer is one product, read by itself.
type offer struct {
	product *stripe.Product
	// prices is nil where they were not asked for.
	prices []*stripe.Price
}

// offer reads a plan's product and its prices; anything else is fault.NotFound.
func (c *Client) offer(ctx context.Context, id string) (*offer, error) {
	found, err := c.products.Get(ctx, id, func(ctx context.Context) (*offer, error) {
		product, err := c.readProduct(ctx, id)
		if err != nil {
			return nil, err
		}
		prices, err := c.readPrices(ctx, id)
		return &offer{product: product, prices: prices}, err
	})
	return found, c.translate(err)
}

// productNow reads a plan's product as it is now; who asks at the same moment shares
// the read.
func (c *Client) productNow(ctx context.Context, id string) (*stripe.Product, error) {
	found, err := c.products.Reload(ctx, id+"\x00now", func(ctx context.Context) (*offer, error) {
		product, err := c.readProduct(ctx, id)
		return &offer{product: product}, err
	})
	if err != nil {
		return nil, c.translate(err)
	}
	return found.product, nil
}

func (c *Client) readProduct(ctx context.Context, id string) (*stripe.Product, error) {
	if !legalProduct.MatchString(id) {
		return nil, fault.New(fault.NotFound, "There is no such plan.")
	}
	params := &stripe.ProductParams{}
	params.Context = ctx
	product, err := c.stripe.products.Get(id, params)
	if err != nil {
		return nil, c.translate(err)
	}
	if product.Deleted || !isPlan(product) {
		return nil, fault.New(fault.NotFound, "There is no such plan.")
	}
	return product, nil
}

// readPrices reads the active recurring prices, of one product or of all.
func (c *Client) readPrices(ctx context.Context, productID string) ([]*stripe.Price, error) {
	params := &stripe.PriceListParams{Active: stripe.Bool(true), Type: stripe.String("recurring")}
	params.Context, params.Limit = ctx, stripe.Int64(100)
	params.AddExpand("data.tiers")
	if productID != "" {
		params.Product = &productID
	}
	var prices []*stripe.Price
	list := c.stripe.prices.List(params)
	for list.Next() {
		prices = append(prices, list.Price())
	}
	return prices, c.translate(list.Err())
}

// meterID is the meter that build seconds go to; fault.NotFound where there is none.
//
// Stripe: GET /v1/billing/meters?status=active, behind the requests once it is known.
func (c *Client) meterID(ctx context.Context) (string, error) {
	id, err := c.meter.Get(ctx, eventName, func(ctx context.Context) (string, error) {
		params := &stripe.BillingMeterListParams{Status: stripe.String("active")}
		params.Context, params.Limit = ctx, stripe.Int64(100)
		meters := c.stripe.meters.List(params)
		for meters.Next() {
			if found := meters.BillingMeter(); found.EventName == eventName {
				return found.ID, nil
			}
		}
		if err := meters.Err(); err != nil {
			return "", c.translate(err)
		}
		return "", fault.New(fault.NotFound, "Usage is not set up: Stripe has no active billing meter for %s.", eventName)
	})
	return id, c.translate(err)
}
