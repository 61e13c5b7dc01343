package billing

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/graph/model"
)

// pricesOf are a product's licensed price and its metered one on our meter, or nil. The
// product's default price goes before others, newer ones before older.
func (c *Client) pricesOf(product *stripe.Product, prices []*stripe.Price) (licensed, metered *stripe.Price) {
	meterID, _ := c.meter.Peek(eventName)
	for _, price := range prices {
		if price.Product == nil || price.Product.ID != product.ID || price.Recurring == nil {
			continue
		}
		preferred := product.DefaultPrice != nil && product.DefaultPrice.ID == price.ID
		switch {
		case price.Recurring.UsageType == stripe.PriceRecurringUsageTypeLicensed:
			if licensed == nil || preferred {
				licensed = price
			}
		case price.Recurring.Meter == meterID && meterID != "" && metered == nil:
			metered = price
		}
	}
	return licensed, metered
}

// priceOf joins a product's two prices; nil without a licensed one.
func (c *Client) priceOf(product *stripe.Product, prices []*stripe.Price) *model.Price {
	licensed, metered := c.pricesOf(product, prices)
	if licensed == nil {
		if metered != nil {
			c.problem("product " + product.ID + ": a metered price without a licensed one is not shown")
		}
		return nil
	}
	price := &model.Price{
		Currency: string(licensed.Currency), UnitAmount: int(licensed.UnitAmount), Interval: string(licensed.Recurring.Interval),
	}
	if metered != nil {
		perMinute := amountPerMinute(metered)
		price.MeteredUnitAmountPerMinute = &perMinute
	}
	return price
}

// amountPerMinute is a metered price of seconds as an exact decimal for a minute. A
// price of packages of seconds (transform_quantity) is spread over them; of tiers the
// last one counts, behind the included minutes.
func amountPerMinute(price *stripe.Price) string {
	perUnit := exact(price.UnitAmountDecimal)
	if n := len(price.Tiers); n > 0 {
		perUnit = exact(price.Tiers[n-1].UnitAmountDecimal)
	}
	perMinute := perUnit.Mul(perUnit, big.NewRat(60, 1))
	if price.TransformQuantity != nil && price.TransformQuantity.DivideBy > 0 {
		perMinute.Quo(perMinute, big.NewRat(price.TransformQuantity.DivideBy, 1))
	}
	return decimal(perMinute)
}

// exact is the decimal that Stripe wrote: the SDK parses it into a float64, whose
// shortest text gives up to 15 digits back as they were, and Stripe has 12 decimals.
func exact(amount float64) *big.Rat {
	value, _ := new(big.Rat).SetString(strconv.FormatFloat(amount, 'f', -1, 64))
	return value
}

// decimal writes a number without trailing zeros; one that does not end after 12
// decimals is rounded there.
func decimal(value *big.Rat) string {
	text := value.FloatString(12)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
