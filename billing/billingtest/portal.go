package billingtest

import (
	"net/http"
	"slices"
	"time"
)

// portalOpen is how long a portal's page can be used.
const portalOpen = time.Hour

// portalConfiguration is the one configuration of the portal: as if its settings were
// saved in the dashboard.
const portalConfiguration = "bpc_drydock"

func (c *call) createPortalSession() (object, *apiError) {
	customer := c.params.required("customer")
	if held, ok := c.server.state.Customers.get(customer); customer != "" && (!ok || held["deleted"] == true) {
		return nil, missing(http.StatusBadRequest, "customer", "customer", customer)
	}
	id := newID("bps_")
	session := object{
		"id": id, "object": "billing_portal.session", "configuration": portalConfiguration, "created": c.now, "customer": customer,
		"flow": nil, "livemode": false, "locale": orNil(c.params.text("locale")), "on_behalf_of": nil,
		"return_url": orNil(c.link("return_url", false)), "url": c.origin + "/p/session/" + id,
	}
	if err := c.params.done(); err != nil {
		return nil, err
	}
	c.server.state.Portals.add(id, session)
	return clone(session), nil
}

// settlePayment is a card that works, where one failed: what was due is paid.
func (c *call) settlePayment(subscription object) {
	before, status := clone(subscription), text(subscription, "status")
	delete(c.server.state.Failing, text(subscription, "id"))
	subscription["default_payment_method"] = newID("pm_")
	if slices.Contains([]string{"past_due", "unpaid", "incomplete", "paused"}, status) {
		subscription["status"] = "active"
	}
	c.updated("customer.subscription.updated", before, subscription)
}
