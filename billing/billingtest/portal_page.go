package billingtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// showPortal is the page of a customer's subscriptions.
func (c *call) showPortal(func(string) string) *page {
	session, ok := c.server.state.Portals.get(c.id)
	if !ok {
		return message(http.StatusNotFound, "Billing", "There is no such session.")
	}
	if c.now-number(session, "created") > int64(portalOpen/time.Second) {
		return message(http.StatusGone, "Billing", "This session is over: go back and open the portal again.")
	}
	shown := &page{name: "portal", Title: "Billing", ReturnURL: text(session, "return_url")}
	list := c.subscriptionsOf(text(session, "customer"))["data"].([]any)
	for _, held := range list {
		subscription, names := held.(object), []string{}
		for _, item := range items(subscription) {
			product, _ := c.server.state.Products.get(text(within(item, "price"), "product"))
			if name := text(product, "name"); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		shown.Subscriptions = append(shown.Subscriptions, shownSubscription{
			ID: text(subscription, "id"), Name: strings.Join(names, ", "), Status: strings.ReplaceAll(text(subscription, "status"), "_", " "),
			PeriodEnd: day(number(subscription, "current_period_end")), Ends: subscription["cancel_at_period_end"] == true,
		})
	}
	return shown
}

// submitPortal changes one subscription of the session's customer.
func (c *call) submitPortal(field func(string) string) *page {
	if shown := c.showPortal(field); shown.name != "portal" {
		return shown
	}
	session, _ := c.server.state.Portals.get(c.id)
	subscription, ok := c.server.state.Subscriptions.get(field("subscription"))
	if !ok || text(subscription, "customer") != text(session, "customer") || text(subscription, "status") == "canceled" {
		return message(http.StatusNotFound, "Billing", "There is no such subscription.")
	}
	change := c.with(map[string]any{})
	change.id = text(subscription, "id")
	var failure *apiError
	switch field("action") {
	case "cancel":
		change.params = newParams(map[string]any{"cancel_at_period_end": "true"})
		_, failure = change.updateSubscription()
	case "resume":
		change.params = newParams(map[string]any{"cancel_at_period_end": "false"})
		_, failure = change.updateSubscription()
	case "card":
		change.settlePayment(subscription)
	case "fail":
		change.setStatus(subscription, "past_due")
	default:
		return message(http.StatusBadRequest, "Billing", "There is no such action.")
	}
	if failure != nil {
		return message(http.StatusConflict, "Billing", failure.message)
	}
	return &page{redirect: text(session, "url")}
}
