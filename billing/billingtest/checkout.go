package billingtest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"drydock.dev/drydock/billing/billingtest/form"
)

// The span in which a session may expire; the default is the longest
// (https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at).
const (
	sessionShortest = 30 * time.Minute
	sessionLongest  = 24 * time.Hour
)

// maxReference is how long a client_reference_id may be.
const maxReference = 200

// createCheckoutSession knows the mode subscription alone, and the page at Stripe.
func (c *call) createCheckoutSession() (object, *apiError) {
	id := newID("cs_test_")
	session := object{
		"id": id, "object": "checkout.session", "after_expiration": nil, "allow_promotion_codes": nil, "amount_subtotal": int64(0),
		"amount_total": int64(0), "automatic_tax": object{"enabled": false, "liability": nil, "status": nil},
		"billing_address_collection": nil, "cancel_url": nil, "client_reference_id": nil, "client_secret": nil, "consent": nil,
		"consent_collection": nil, "created": c.now, "currency": nil, "currency_conversion": nil, "custom_fields": []any{},
		"custom_text": object{"after_submit": nil, "shipping_address": nil, "submit": nil, "terms_of_service_acceptance": nil},
		"customer":    nil, "customer_creation": nil, "customer_details": nil, "customer_email": nil,
		"expires_at": c.now + int64(sessionLongest/time.Second), "invoice": nil, "invoice_creation": nil, "livemode": false, "locale": nil,
		"metadata": object{}, "mode": "subscription", "payment_intent": nil, "payment_link": nil, "payment_method_collection": "always",
		"payment_method_configuration_details": nil, "payment_method_options": nil, "payment_method_types": []any{"card"},
		"payment_status": "unpaid", "phone_number_collection": object{"enabled": false}, "recovered_from": nil,
		"saved_payment_method_options": nil, "setup_intent": nil, "shipping_address_collection": nil, "shipping_cost": nil,
		"shipping_details": nil, "shipping_options": []any{}, "status": "open", "submit_type": nil, "subscription": nil,
		"success_url": nil, "total_details": object{"amount_discount": int64(0), "amount_shipping": int64(0), "amount_tax": int64(0)},
		"ui_mode": "hosted", "url": c.origin + "/c/pay/" + id,
	}
	if mode := c.params.required("mode"); mode != "" && mode != "subscription" {
		c.params.fail(invalid("mode", "", "The stand-in knows the mode subscription alone, not %s.", mode))
	}
	c.params.oneOf("ui_mode", "hosted")
	c.setCheckout(session)
	cart := c.subscriptionData()
	if customer := text(session, "customer"); customer != "" {
		cart["customer"] = customer
	}
	cart["items"] = c.setLineItems(session)
	if cart["trial_period_days"] != nil || cart["trial_end"] != nil {
		session["amount_subtotal"], session["amount_total"] = int64(0), int64(0)
	}
	expand, err := c.setCheckoutMetadata(session)
	if err != nil {
		return nil, err
	}
	state := c.server.state
	state.Sessions.add(id, session)
	state.Carts[id] = cart
	return c.showSession(session, expand)
}

func (c *call) setCheckout(session object) {
	session["success_url"] = c.link("success_url", true)
	session["cancel_url"] = orNil(c.link("cancel_url", false))
	if customer := c.params.text("customer"); customer != "" {
		session["customer"] = customer
		if held, ok := c.server.state.Customers.get(customer); !ok || held["deleted"] == true {
			c.params.fail(missing(http.StatusBadRequest, "customer", "customer", customer))
		} else {
			session["customer_details"] = object{"address": nil, "email": held["email"], "name": nil, "phone": nil, "tax_exempt": "none", "tax_ids": nil}
		}
	}
	for _, name := range []string{"customer_email", "client_reference_id", "locale"} {
		session[name] = orNil(c.params.text(name))
	}
	if len(text(session, "client_reference_id")) > maxReference {
		c.params.fail(invalid("client_reference_id", "", "Invalid string: must be at most %d characters", maxReference))
	}
	if session["customer"] != nil && session["customer_email"] != nil {
		c.params.fail(invalid("customer_email", "", "You may only specify one of these parameters: customer, customer_email."))
	}
	if c.params.has("allow_promotion_codes") {
		session["allow_promotion_codes"] = c.params.boolean("allow_promotion_codes")
	}
	if collect := c.params.oneOf("payment_method_collection", "always", "if_required"); collect != "" {
		session["payment_method_collection"] = collect
	}
	if c.params.has("expires_at") {
		at := c.params.integer("expires_at")
		session["expires_at"] = at
		if at < c.now+int64(sessionShortest/time.Second) || at > c.now+int64(sessionLongest/time.Second) {
			c.params.fail(invalid("expires_at", "", "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout Session creation."))
		}
	}
}

func (c *call) setCheckoutMetadata(session object) ([]string, *apiError) {
	session["metadata"] = c.params.metadata(object{})
	expand := c.params.texts("expand")
	return expand, c.params.done()
}

// link reads an address that the browser is sent to.
func (c *call) link(name string, needed bool) string {
	given := c.params.text(name)
	if given == "" {
		if needed {
			c.params.fail(required(name))
		}
		return given
	}
	if u, err := url.Parse(given); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		c.params.fail(invalid(name, "url_invalid", "Not a valid URL"))
	}
	return given
}

// subscriptionData is what the subscription will be created with, as a form's tree.
func (c *call) subscriptionData() map[string]any {
	cart := map[string]any{}
	given := c.params.within("subscription_data")
	if given == nil {
		return cart
	}
	for _, name := range []string{"trial_period_days", "trial_end", "description"} {
		if value := given.text(name); value != "" {
			cart[name] = value
		}
	}
	if given.has("trial_period_days") && given.integer("trial_period_days") < 1 {
		c.params.fail(invalid("subscription_data[trial_period_days]", "", "The minimum number of trial period days is 1."))
	}
	metadata := object{}
	for key, value := range given.metadata(object{}) {
		metadata[key] = value
	}
	cart["metadata"] = metadata
	if err := given.done(); err != nil {
		c.params.fail(err)
	}
	return cart
}

// setLineItems reads the prices, adds up what is to be paid now, and gives them as the
// items of a subscription's form.
func (c *call) setLineItems(session object) map[string]any {
	data, cart, total := []any{}, map[string]any{}, int64(0)
	for n, given := range c.params.list("line_items") {
		id := given.required("price")
		price, ok := c.server.state.Prices.get(id)
		recurring := within(price, "recurring")
		metered := text(recurring, "usage_type") == "metered"
		switch {
		case !ok:
			c.params.fail(missing(http.StatusBadRequest, "price", given.name("price"), id))
		case price["active"] != true:
			c.params.fail(invalid(given.name("price"), "price_inactive", "The price specified is inactive. This field only accepts active prices."))
		case recurring == nil:
			c.params.fail(invalid(given.name("price"), "", "The stand-in sells recurring prices alone."))
		case metered && given.has("quantity"):
			c.params.fail(invalid(given.name("quantity"), "", "Quantity should not be specified where usage_type is `metered`. Remove quantity from `line_items[%d]`", n))
		case !metered && given.integer("quantity") < 1:
			c.params.fail(invalid(given.name("quantity"), "", "Quantity is required. Add `quantity` to `line_items[%d]`", n))
		}
		quantity, now := any(nil), int64(0)
		wanted := map[string]any{"price": id}
		if !metered {
			quantity, now = given.integer("quantity"), given.integer("quantity")*number(price, "unit_amount")
			wanted["quantity"] = given.text("quantity")
		}
		if err := given.done(); err != nil {
			c.params.fail(err)
		}
		total += now
		session["currency"] = orNil(text(price, "currency"))
		product, _ := c.server.state.Products.get(text(price, "product"))
		shown := clone(price)
		delete(shown, "tiers")
		data = append(data, object{
			"id": newID("li_"), "object": "item", "amount_discount": int64(0), "amount_subtotal": now, "amount_tax": int64(0),
			"amount_total": now, "currency": text(price, "currency"), "description": text(product, "name"), "price": shown, "quantity": quantity,
		})
		cart[strconv.Itoa(n)] = wanted
	}
	if len(data) == 0 {
		c.params.fail(required("line_items"))
	}
	session["line_items"] = object{"object": "list", "data": data, "has_more": false, "url": "/v1/checkout/sessions/" + text(session, "id") + "/line_items"}
	session["amount_subtotal"], session["amount_total"] = total, total
	return cart
}

func (c *call) session() (object, *apiError) {
	session, ok := c.server.state.Sessions.get(c.id)
	if !ok {
		return nil, missing(http.StatusNotFound, "checkout.session", "session", c.id)
	}
	c.lapse(session)
	return session, nil
}

func (c *call) getCheckoutSession() (object, *apiError) {
	expand := c.params.texts("expand")
	session, err := c.session()
	if err != nil {
		return nil, err
	}
	if err := c.params.done(); err != nil {
		return nil, err
	}
	return c.showSession(session, expand)
}

func (c *call) listCheckoutSessions() (object, *apiError) {
	created, customer, status := c.created(), c.params.text("customer"), c.params.oneOf("status", "open", "complete", "expired")
	for _, session := range c.server.state.Sessions.Items {
		c.lapse(session)
	}
	answer, err := c.list("checkout.session", "/v1/checkout/sessions", c.server.state.Sessions, func(o object) bool {
		return created(o) && (customer == "" || text(o, "customer") == customer) && (status == "" || text(o, "status") == status)
	})
	if err != nil {
		return nil, err
	}
	for _, session := range answer["data"].([]any) {
		delete(session.(object), "line_items")
	}
	return answer, nil
}

func (c *call) expireCheckoutSession() (object, *apiError) {
	expand := c.params.texts("expand")
	session, err := c.session()
	if err != nil {
		return nil, err
	}
	if err := c.params.done(); err != nil {
		return nil, err
	}
	if status := text(session, "status"); status != "open" {
		return nil, invalid("", "", "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `%s`.", status)
	}
	c.expire(session)
	return c.showSession(session, expand)
}

// lapse expires a session whose time is over.
func (c *call) lapse(session object) {
	if text(session, "status") == "open" && number(session, "expires_at") <= c.now {
		c.expire(session)
	}
}

func (c *call) expire(session object) {
	session["status"], session["url"] = "expired", nil
	delete(c.server.state.Carts, text(session, "id"))
	c.record("checkout.session.expired", session, nil)
}

// showSession leaves the line items out, unless they are asked for.
func (c *call) showSession(session object, expand []string) (object, *apiError) {
	answer := clone(session)
	asked := false
	for _, path := range expand {
		asked = asked || path == "line_items" || strings.HasPrefix(path, "line_items.")
	}
	if !asked {
		delete(answer, "line_items")
	}
	return answer, c.expand(answer, expand)
}

// complete is what a payment does: the subscription begins, and with a card that fails
// later its next payment will not go through.
func (c *call) complete(session object, failsLater bool) *apiError {
	cart := c.server.state.Carts[text(session, "id")]
	if cart["customer"] == nil {
		customer, err := c.with(form.Parse(url.Values{"email": {text(session, "customer_email")}})).createCustomer()
		if err != nil {
			return err
		}
		cart["customer"], session["customer"] = customer["id"], customer["id"]
	}
	subscription, err := c.with(cart).createSubscription()
	if err != nil {
		return err
	}
	id := text(subscription, "id")
	held, _ := c.server.state.Subscriptions.get(id)
	held["default_payment_method"] = newID("pm_")
	if failsLater {
		c.server.state.Failing[id] = true
	}
	session["status"], session["url"], session["subscription"], session["payment_status"] = "complete", nil, id, "paid"
	if text(subscription, "status") == "trialing" {
		session["payment_status"] = "no_payment_required"
	}
	delete(c.server.state.Carts, text(session, "id"))
	c.record("checkout.session.completed", session, nil)
	return nil
}

// with is a call that goes on with other parameters.
func (c *call) with(values map[string]any) *call {
	next := *c
	next.params = newParams(values)
	return &next
}
