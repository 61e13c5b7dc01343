package billingtest

import (
	"net/http"
	"strings"
)

// newCustomer has all fields, and nothing in them.
func (c *call) newCustomer() object {
	id := newID("cus_")
	return object{
		"id": id, "object": "customer", "address": nil, "balance": int64(0), "created": c.now, "currency": nil,
		"default_source": nil, "delinquent": false, "description": nil, "discount": nil, "email": nil,
		"invoice_prefix": strings.ToUpper(id[4:12]), "livemode": false, "metadata": object{}, "name": nil,
		"invoice_settings":      object{"custom_fields": nil, "default_payment_method": nil, "footer": nil, "rendering_options": nil},
		"next_invoice_sequence": int64(1), "phone": nil, "preferred_locales": []any{}, "shipping": nil,
		"tax_exempt": "none", "test_clock": nil,
	}
}

func (c *call) createCustomer() (object, *apiError) {
	customer := c.newCustomer()
	expand, err := c.setCustomer(customer)
	if err != nil {
		return nil, err
	}
	c.server.state.Customers.add(text(customer, "id"), customer)
	c.server.index(customer, c.at)
	c.record("customer.created", customer, nil)
	answer := clone(customer)
	return answer, c.expand(answer, expand)
}

func (c *call) getCustomer() (object, *apiError) {
	expand := c.params.texts("expand")
	customer, err := c.customer()
	if err != nil {
		return nil, err
	}
	if err := c.params.done(); err != nil {
		return nil, err
	}
	if customer["deleted"] == true {
		return object{"id": c.id, "object": "customer", "deleted": true}, nil
	}
	answer := clone(customer)
	return answer, c.expand(answer, expand)
}

func (c *call) updateCustomer() (object, *apiError) {
	customer, err := c.customer()
	if err != nil {
		return nil, err
	}
	if customer["deleted"] == true {
		return nil, missing(http.StatusNotFound, "customer", "id", c.id)
	}
	next := clone(customer)
	expand, err := c.setCustomer(next)
	if err != nil {
		return nil, err
	}
	before := clone(customer)
	replace(customer, next)
	c.server.index(customer, c.at)
	c.updated("customer.updated", before, customer)
	answer := clone(customer)
	return answer, c.expand(answer, expand)
}

func (c *call) deleteCustomer() (object, *apiError) {
	customer, err := c.customer()
	if err != nil {
		return nil, err
	}
	if customer["deleted"] == true {
		return nil, missing(http.StatusNotFound, "customer", "id", c.id)
	}
	for _, subscription := range c.server.state.Subscriptions.Items {
		if text(subscription, "customer") == c.id && text(subscription, "status") != "canceled" {
			c.end(subscription)
		}
	}
	c.record("customer.deleted", customer, nil)
	customer["deleted"] = true
	c.server.index(customer, c.at)
	return object{"id": c.id, "object": "customer", "deleted": true}, nil
}

func (c *call) listCustomers() (object, *apiError) {
	email, created := c.params.text("email"), c.created()
	return c.list("customer", "/v1/customers", c.server.state.Customers, func(o object) bool {
		return o["deleted"] != true && created(o) && (email == "" || text(o, "email") == email)
	})
}

// customer finds the path's customer, deleted ones included.
func (c *call) customer() (object, *apiError) {
	customer, ok := c.server.state.Customers.get(c.id)
	if !ok {
		return nil, missing(http.StatusNotFound, "customer", "id", c.id)
	}
	return customer, nil
}

// setCustomer writes the request's fields and gives back what to expand.
func (c *call) setCustomer(customer object) ([]string, *apiError) {
	for _, name := range []string{"email", "name", "description", "phone"} {
		if c.params.has(name) {
			customer[name] = orNil(c.params.text(name))
		}
	}
	customer["metadata"] = c.params.metadata(within(customer, "metadata"))
	expand := c.params.texts("expand")
	return expand, c.params.done()
}

// replace makes an object hold what another does.
func replace(o, next object) {
	clear(o)
	for key, value := range next {
		o[key] = value
	}
}
