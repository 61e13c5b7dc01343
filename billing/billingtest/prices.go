package billingtest

import (
	"math/big"
	"net/http"
	"slices"
)

func (c *call) createPrice() (object, *apiError) {
	id := newID("price_")
	price := object{
		"id": id, "object": "price", "active": true, "billing_scheme": "per_unit", "created": c.now,
		"currency": c.params.required("currency"), "custom_unit_amount": nil, "livemode": false, "lookup_key": nil,
		"metadata": object{}, "nickname": nil, "product": c.params.required("product"), "recurring": nil,
		"tax_behavior": "unspecified", "tiers_mode": nil, "transform_quantity": nil, "type": "one_time",
		"unit_amount": nil, "unit_amount_decimal": nil,
	}
	if product := text(price, "product"); product != "" {
		if _, ok := c.server.state.Products.get(product); !ok {
			return nil, missing(http.StatusBadRequest, "product", "product", product)
		}
	}
	c.setAmount(price)
	c.setRecurring(price)
	if divide := c.params.within("transform_quantity"); divide != nil {
		price["transform_quantity"] = object{"divide_by": divide.integer("divide_by"), "round": divide.oneOf("round", "up", "down")}
	}
	expand, err := c.setPrice(price)
	if err != nil {
		return nil, err
	}
	c.server.state.Prices.add(id, price)
	c.record("price.created", price, nil)
	return c.showPrice(price, expand)
}

// setAmount reads unit_amount or unit_amount_decimal, or the tiers.
func (c *call) setAmount(price object) {
	if scheme := c.params.oneOf("billing_scheme", "per_unit", "tiered"); scheme == "tiered" {
		price["billing_scheme"] = scheme
		price["tiers_mode"] = c.params.oneOf("tiers_mode", "graduated", "volume")
		tiers := []any{}
		for _, tier := range c.params.list("tiers") {
			upTo := any(nil)
			if tier.text("up_to") != "inf" {
				upTo = tier.integer("up_to")
			}
			whole, decimal := amount(tier)
			tiers = append(tiers, object{
				"flat_amount": nil, "flat_amount_decimal": nil, "unit_amount": whole, "unit_amount_decimal": decimal, "up_to": upTo,
			})
		}
		if len(tiers) == 0 {
			c.params.fail(required("tiers"))
		}
		price["tiers"] = tiers
		return
	}
	if !c.params.has("unit_amount") && !c.params.has("unit_amount_decimal") {
		c.params.fail(invalid("", "parameter_missing", "You must pass either `unit_amount`, `unit_amount_decimal` or `custom_unit_amount`."))
	}
	price["unit_amount"], price["unit_amount_decimal"] = amount(c.params)
}

// amount reads an amount in whole or decimal parts of the smallest unit; the whole one
// is null where the decimal one is not whole.
func amount(p *params) (whole, decimal any) {
	if p.has("unit_amount") {
		n := p.integer("unit_amount")
		return n, p.text("unit_amount")
	}
	given := p.text("unit_amount_decimal")
	exact, ok := new(big.Rat).SetString(given)
	if !ok || exact.Sign() < 0 {
		p.fail(invalid(p.name("unit_amount_decimal"), "", "Invalid decimal: %s", given))
		return nil, nil
	}
	if exact.IsInt() {
		whole = exact.Num().Int64()
	}
	return whole, given
}

func (c *call) setRecurring(price object) {
	given := c.params.within("recurring")
	if given == nil {
		return
	}
	recurring := object{
		"aggregate_usage": orNil(given.oneOf("aggregate_usage", "last_during_period", "last_ever", "max", "sum")),
		"interval":        given.oneOf("interval", "day", "week", "month", "year"), "interval_count": int64(1),
		"meter": orNil(given.text("meter")), "trial_period_days": nil, "usage_type": "licensed",
	}
	if recurring["interval"] == "" {
		c.params.fail(required("recurring[interval]"))
	}
	if given.has("interval_count") {
		recurring["interval_count"] = given.integer("interval_count")
	}
	if usage := given.oneOf("usage_type", "licensed", "metered"); usage != "" {
		recurring["usage_type"] = usage
	}
	if meter := text(recurring, "meter"); meter != "" {
		if _, ok := c.server.state.Meters.get(meter); !ok {
			c.params.fail(missing(http.StatusBadRequest, "billing meter", "recurring[meter]", meter))
		}
	}
	if err := given.done(); err != nil {
		c.params.fail(err)
	}
	price["type"], price["recurring"] = "recurring", recurring
}

func (c *call) getPrice() (object, *apiError) {
	expand := c.params.texts("expand")
	price, ok := c.server.state.Prices.get(c.id)
	if !ok {
		return nil, missing(http.StatusNotFound, "price", "price", c.id)
	}
	if err := c.params.done(); err != nil {
		return nil, err
	}
	return c.showPrice(price, expand)
}

func (c *call) updatePrice() (object, *apiError) {
	price, ok := c.server.state.Prices.get(c.id)
	if !ok {
		return nil, missing(http.StatusNotFound, "price", "price", c.id)
	}
	next := clone(price)
	expand, err := c.setPrice(next)
	if err != nil {
		return nil, err
	}
	before := clone(price)
	replace(price, next)
	c.updated("price.updated", before, price)
	return c.showPrice(price, expand)
}

func (c *call) listPrices() (object, *apiError) {
	created := c.created()
	byActive, active := c.params.has("active"), c.params.boolean("active")
	product, kind, currency := c.params.text("product"), c.params.oneOf("type", "one_time", "recurring"), c.params.text("currency")
	keys := c.params.texts("lookup_keys")
	recurring := map[string]string{}
	if given := c.params.within("recurring"); given != nil {
		for _, name := range []string{"interval", "meter", "usage_type"} {
			recurring[name] = given.text(name)
		}
	}
	tiers := slices.Contains(c.params.texts("expand"), "data.tiers")
	page, err := c.list("price", "/v1/prices", c.server.state.Prices, func(o object) bool {
		for name, want := range recurring {
			if want != "" && text(within(o, "recurring"), name) != want {
				return false
			}
		}
		return created(o) && (!byActive || o["active"] == active) && (product == "" || text(o, "product") == product) &&
			(kind == "" || text(o, "type") == kind) && (currency == "" || text(o, "currency") == currency) &&
			(len(keys) == 0 || slices.Contains(keys, text(o, "lookup_key")))
	})
	if err == nil && !tiers {
		for _, item := range page["data"].([]any) {
			delete(item.(object), "tiers")
		}
	}
	return page, err
}

// showPrice leaves the tiers out, unless they are asked for.
func (c *call) showPrice(price object, expand []string) (object, *apiError) {
	answer := clone(price)
	if !slices.Contains(expand, "tiers") {
		delete(answer, "tiers")
	}
	return answer, c.expand(answer, expand)
}

func (c *call) setPrice(price object) ([]string, *apiError) {
	for _, name := range []string{"nickname", "lookup_key"} {
		if c.params.has(name) {
			price[name] = orNil(c.params.text(name))
		}
	}
	if behavior := c.params.oneOf("tax_behavior", "exclusive", "inclusive", "unspecified"); behavior != "" {
		price["tax_behavior"] = behavior
	}
	if c.params.has("active") {
		price["active"] = c.params.boolean("active")
	}
	price["metadata"] = c.params.metadata(within(price, "metadata"))
	expand := c.params.texts("expand")
	return expand, c.params.done()
}
