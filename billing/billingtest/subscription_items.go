package billingtest

import (
	"net/http"
	"slices"
)

// setSubscription writes the request's fields and gives back what to expand.
func (c *call) setSubscription(subscription object) ([]string, *apiError) {
	for _, item := range c.params.list("items") {
		c.setItem(subscription, item)
	}
	if c.params.has("cancel_at_period_end") {
		subscription["cancel_at_period_end"] = c.params.boolean("cancel_at_period_end")
		subscription["cancel_at"], subscription["canceled_at"] = nil, nil
		if subscription["cancel_at_period_end"] == true {
			subscription["cancel_at"], subscription["canceled_at"] = subscription["current_period_end"], c.now
		}
	}
	for _, name := range []string{"description", "default_payment_method"} {
		if c.params.has(name) {
			subscription[name] = orNil(c.params.text(name))
		}
	}
	// Money does not move here, so how it would is read and let go.
	c.params.oneOf("proration_behavior", "always_invoice", "create_prorations", "none")
	c.params.oneOf("payment_behavior", "allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete")
	subscription["metadata"] = c.params.metadata(within(subscription, "metadata"))
	expand := c.params.texts("expand")
	return expand, c.params.done()
}

// setItem adds, changes or takes out one item.
func (c *call) setItem(subscription object, given *params) {
	held := items(subscription)
	id, priceID := given.text("id"), given.text("price")
	at := slices.IndexFunc(held, func(item object) bool { return text(item, "id") == id })
	if id != "" && at < 0 {
		c.params.fail(missing(http.StatusBadRequest, "subscription_item", given.name("id"), id))
		return
	}
	price, ok := c.server.state.Prices.get(priceID)
	if priceID != "" && !ok {
		c.params.fail(missing(http.StatusBadRequest, "price", given.name("price"), priceID))
		return
	}
	if ok && text(price, "type") != "recurring" {
		c.params.fail(invalid(given.name("price"), "", "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`."))
		return
	}
	metered := text(within(price, "recurring"), "usage_type") == "metered"
	quantity := int64(1)
	if given.has("quantity") {
		quantity = given.integer("quantity")
		if metered {
			c.params.fail(invalid(given.name("quantity"), "", "You cannot set the quantity on metered plans."))
		}
	}
	switch {
	case given.boolean("deleted") && at >= 0:
		held = slices.Delete(held, at, at+1)
	case at >= 0:
		c.reprice(held[at], price, quantity, given.has("quantity"))
	case !ok:
		c.params.fail(required(given.name("price")))
	default:
		item := object{
			"id": newID("si_"), "object": "subscription_item", "billing_thresholds": nil, "created": c.now,
			"metadata": object{}, "subscription": subscription["id"], "tax_rates": []any{},
		}
		c.reprice(item, price, quantity, true)
		held = append(held, item)
	}
	if err := given.done(); err != nil {
		c.params.fail(err)
	}
	data := make([]any, len(held))
	for i, item := range held {
		data[i] = item
	}
	within(subscription, "items")["data"] = data
}

func (c *call) reprice(item, price object, quantity int64, counted bool) {
	if price != nil {
		shown := clone(price)
		delete(shown, "tiers")
		item["price"] = shown
	}
	if text(within(within(item, "price"), "recurring"), "usage_type") == "metered" {
		delete(item, "quantity")
	} else if counted {
		item["quantity"] = quantity
	}
}
