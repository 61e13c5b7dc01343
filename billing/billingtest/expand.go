package billingtest

import "strings"

// maxExpand is how deep Stripe expands (https://docs.stripe.com/expand).
const maxExpand = 4

// expand puts whole objects in the place of ids, path by path.
func (c *call) expand(o object, paths []string) *apiError {
	for _, path := range paths {
		steps := strings.Split(path, ".")
		if len(steps) > maxExpand {
			return invalid("expand", "", "You cannot expand more than %d levels of a property. Property: %s", maxExpand, path)
		}
		if !c.expandStep(o, steps) {
			return invalid("expand", "", "This property cannot be expanded (%s).", path)
		}
	}
	return nil
}

func (c *call) expandStep(o object, steps []string) bool {
	if len(steps) == 0 {
		return true
	}
	name, rest := steps[0], steps[1:]
	switch value := o[name].(type) {
	case []any:
		if name != "data" || len(rest) == 0 {
			return name == "tiers"
		}
		for _, item := range value {
			if inner, ok := item.(object); !ok || !c.expandStep(inner, rest) {
				return false
			}
		}
		return true
	case object:
		return len(rest) == 0 || c.expandStep(value, rest)
	}
	found, ok := c.expandable(o, name)
	if !ok {
		return false
	}
	if found == nil {
		return true
	}
	o[name] = found
	return c.expandStep(found, rest)
}

// expandable finds what a property stands for; nil where it is null.
func (c *call) expandable(o object, name string) (object, bool) {
	state := c.server.state
	kind := text(o, "object")
	if kind == "customer" && name == "subscriptions" {
		return c.subscriptionsOf(text(o, "id")), true
	}
	var home *collection
	switch kind + "." + name {
	case "subscription.customer", "checkout.session.customer":
		home = state.Customers
	case "checkout.session.subscription":
		home = state.Subscriptions
	case "price.product":
		home = state.Products
	case "product.default_price":
		home = state.Prices
	case "price.tiers", "customer.default_source", "customer.test_clock", "customer.sources", "customer.tax",
		"subscription.latest_invoice", "subscription.default_payment_method", "subscription.schedule":
		return nil, true
	default:
		return nil, false
	}
	found, ok := home.get(text(o, name))
	if !ok {
		return nil, true
	}
	return clone(found), true
}
