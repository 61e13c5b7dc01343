package billingtest

import (
	"net/http"
	"slices"
	"time"
)

func (c *call) createSubscription() (object, *apiError) {
	customer := c.params.required("customer")
	if held, ok := c.server.state.Customers.get(customer); customer != "" && (!ok || held["deleted"] == true) {
		return nil, missing(http.StatusBadRequest, "customer", "customer", customer)
	}
	id := newID("sub_")
	subscription := object{
		"id": id, "object": "subscription", "application": nil, "application_fee_percent": nil,
		"automatic_tax": object{"enabled": false, "liability": nil}, "billing_cycle_anchor": c.now,
		"billing_cycle_anchor_config": nil, "billing_thresholds": nil, "cancel_at": nil, "cancel_at_period_end": false,
		"canceled_at": nil, "cancellation_details": object{"comment": nil, "feedback": nil, "reason": nil},
		"collection_method": "charge_automatically", "created": c.now, "currency": "usd", "current_period_end": c.now,
		"current_period_start": c.now, "customer": customer, "days_until_due": nil, "default_payment_method": nil,
		"default_source": nil, "default_tax_rates": []any{}, "description": nil, "discount": nil, "ended_at": nil,
		"items":          object{"object": "list", "data": []any{}, "has_more": false, "url": "/v1/subscription_items?subscription=" + id},
		"latest_invoice": nil, "livemode": false, "metadata": object{}, "next_pending_invoice_item_invoice": nil,
		"on_behalf_of": nil, "pause_collection": nil,
		"payment_settings":              object{"payment_method_options": nil, "payment_method_types": nil, "save_default_payment_method": "off"},
		"pending_invoice_item_interval": nil, "pending_setup_intent": nil, "pending_update": nil, "schedule": nil,
		"start_date": c.now, "status": "active", "test_clock": nil, "transfer_data": nil, "trial_end": nil,
		"trial_settings": object{"end_behavior": object{"missing_payment_method": "create_invoice"}}, "trial_start": nil,
	}
	if !c.params.has("items") {
		c.params.fail(required("items"))
	}
	if anchor := c.params.integer("billing_cycle_anchor"); anchor != 0 {
		subscription["billing_cycle_anchor"] = anchor
	}
	if days := c.params.integer("trial_period_days"); days > 0 {
		c.try(subscription, c.now+days*24*60*60)
	}
	if end := c.params.integer("trial_end"); end > 0 {
		c.try(subscription, end)
	}
	expand, err := c.setSubscription(subscription)
	if err != nil {
		return nil, err
	}
	c.firstPeriod(subscription)
	c.server.state.Subscriptions.add(id, subscription)
	c.record("customer.subscription.created", subscription, nil)
	answer := clone(subscription)
	return answer, c.expand(answer, expand)
}

// try puts a subscription into its trial; the cycle begins behind it.
func (c *call) try(subscription object, end int64) {
	subscription["status"], subscription["trial_start"], subscription["trial_end"] = "trialing", c.now, end
	subscription["billing_cycle_anchor"] = end
}

// firstPeriod ends at the anchor where that is still to come.
func (c *call) firstPeriod(subscription object) {
	anchor := number(subscription, "billing_cycle_anchor")
	if anchor > c.now {
		subscription["current_period_end"] = anchor
		return
	}
	subscription["current_period_end"] = cycle(subscription, c.now)
}

// cycle is the end of the period that holds a moment: the anchor plus whole intervals.
func cycle(subscription object, at int64) int64 {
	interval, count := "month", int64(1)
	for _, item := range items(subscription) {
		if recurring := within(within(item, "price"), "recurring"); recurring != nil {
			interval, count = text(recurring, "interval"), number(recurring, "interval_count")
		}
	}
	anchor := time.Unix(number(subscription, "billing_cycle_anchor"), 0).UTC()
	for n := count; ; n += count {
		if end := after(anchor, interval, int(n)).Unix(); end > at {
			return end
		}
	}
}

// after adds intervals to the anchor; a month too short ends it on its last day.
func after(anchor time.Time, interval string, n int) time.Time {
	switch interval {
	case "day":
		return anchor.AddDate(0, 0, n)
	case "week":
		return anchor.AddDate(0, 0, 7*n)
	case "year":
		n *= 12
	}
	first := time.Date(anchor.Year(), anchor.Month(), 1, anchor.Hour(), anchor.Minute(), anchor.Second(), 0, time.UTC).AddDate(0, n, 0)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(anchor.Day(), last)-1)
}

// roll moves a subscription on to the period that now is in; each period passed is an
// event.
func (c *call) roll(subscription object) {
	for text(subscription, "status") != "canceled" && number(subscription, "current_period_end") <= c.now {
		before, end := clone(subscription), number(subscription, "current_period_end")
		if subscription["cancel_at_period_end"] == true {
			subscription["status"], subscription["ended_at"] = "canceled", end
			c.record("customer.subscription.deleted", subscription, nil)
			return
		}
		if text(subscription, "status") == "trialing" {
			subscription["status"] = "active"
		}
		if c.server.state.Failing[text(subscription, "id")] {
			subscription["status"] = "past_due"
		}
		subscription["current_period_start"] = end
		subscription["current_period_end"] = cycle(subscription, end)
		c.updated("customer.subscription.updated", before, subscription)
	}
}

func (c *call) subscription() (object, *apiError) {
	subscription, ok := c.server.state.Subscriptions.get(c.id)
	if !ok {
		return nil, missing(http.StatusNotFound, "subscription", "id", c.id)
	}
	c.roll(subscription)
	return subscription, nil
}

func (c *call) getSubscription() (object, *apiError) {
	expand := c.params.texts("expand")
	subscription, err := c.subscription()
	if err != nil {
		return nil, err
	}
	if err := c.params.done(); err != nil {
		return nil, err
	}
	answer := clone(subscription)
	return answer, c.expand(answer, expand)
}

func (c *call) updateSubscription() (object, *apiError) {
	subscription, err := c.subscription()
	if err != nil {
		return nil, err
	}
	if text(subscription, "status") == "canceled" {
		return nil, invalid("", "", "A canceled subscription can only update its cancellation_details and metadata.")
	}
	next := clone(subscription)
	expand, err := c.setSubscription(next)
	if err != nil {
		return nil, err
	}
	before := clone(subscription)
	replace(subscription, next)
	c.updated("customer.subscription.updated", before, subscription)
	answer := clone(subscription)
	return answer, c.expand(answer, expand)
}

func (c *call) cancelSubscription() (object, *apiError) {
	subscription, err := c.subscription()
	if err != nil {
		return nil, err
	}
	// What is invoiced is read and let go; a credit shows in the customer's balance.
	c.params.boolean("invoice_now")
	prorate := c.params.boolean("prorate")
	if err := c.params.done(); err != nil {
		return nil, err
	}
	if text(subscription, "status") == "canceled" {
		return nil, missing(http.StatusNotFound, "subscription", "id", c.id)
	}
	if prorate {
		c.credit(subscription)
	}
	c.end(subscription)
	return clone(subscription), nil
}

// credit puts what is left of the period's price on the customer's balance, as Stripe does:
// whether it was ever paid is not asked. A trial costs nothing.
func (c *call) credit(subscription object) {
	customer, ok := c.server.state.Customers.get(text(subscription, "customer"))
	start, end := number(subscription, "current_period_start"), number(subscription, "current_period_end")
	if !ok || text(subscription, "status") == "trialing" || end <= max(start, c.now) {
		return
	}
	price := int64(0)
	for _, item := range items(subscription) {
		price += number(within(item, "price"), "unit_amount") * number(item, "quantity")
	}
	before := clone(customer)
	customer["balance"] = number(customer, "balance") - price*(end-c.now)/(end-start)
	c.updated("customer.updated", before, customer)
}

func (c *call) setStatus(subscription object, status string) {
	before := clone(subscription)
	subscription["status"] = status
	c.updated("customer.subscription.updated", before, subscription)
}

func (c *call) end(subscription object) {
	within(subscription, "cancellation_details")["reason"] = "cancellation_requested"
	subscription["status"], subscription["canceled_at"], subscription["ended_at"] = "canceled", c.now, c.now
	c.record("customer.subscription.deleted", subscription, nil)
}

func (c *call) listSubscriptions() (object, *apiError) {
	created, customer, price, status := c.created(), c.params.text("customer"), c.params.text("price"), c.params.text("status")
	for _, subscription := range c.server.state.Subscriptions.Items {
		c.roll(subscription)
	}
	return c.list("subscription", "/v1/subscriptions", c.server.state.Subscriptions, func(o object) bool {
		if price != "" && !slices.ContainsFunc(items(o), func(item object) bool { return text(within(item, "price"), "id") == price }) {
			return false
		}
		held := text(o, "status")
		return created(o) && (customer == "" || text(o, "customer") == customer) &&
			(status == "all" || status == held || status == "" && held != "canceled" || status == "ended" && held == "canceled")
	})
}

// subscriptionsOf is the list within an expanded customer: those that are not canceled.
func (c *call) subscriptionsOf(customer string) object {
	data := []any{}
	held := c.server.state.Subscriptions.Items
	for i := len(held) - 1; i >= 0 && len(data) < defaultLimit; i-- {
		if text(held[i], "customer") != customer {
			continue
		}
		if c.roll(held[i]); text(held[i], "status") != "canceled" {
			data = append(data, clone(held[i]))
		}
	}
	return object{"object": "list", "data": data, "has_more": false, "url": "/v1/customers/" + customer + "/subscriptions"}
}

func items(subscription object) []object {
	data, _ := within(subscription, "items")["data"].([]any)
	found := make([]object, len(data))
	for i, item := range data {
		found[i] = item.(object)
	}
	return found
}
