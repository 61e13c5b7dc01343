package billingtest

import (
	"net/http"
	"strings"
)

// showCheckout is the page of an open session.
func (c *call) showCheckout(func(string) string) *page {
	session, err := c.session()
	if err != nil {
		return message(http.StatusNotFound, "Checkout", "There is no such session.")
	}
	if status := text(session, "status"); status != "open" {
		return message(http.StatusGone, "Checkout", "This session is "+status+": go back and begin again.")
	}
	shown := &page{
		name: "checkout", Title: "Subscribe", Email: text(within(session, "customer_details"), "email"),
		Due: money(number(session, "amount_total"), text(session, "currency")), CanCancel: session["cancel_url"] != nil,
	}
	shown.Trial, _ = c.server.state.Carts[c.id]["trial_period_days"].(string)
	lines, _ := within(session, "line_items")["data"].([]any)
	for _, item := range lines {
		item := item.(object)
		shown.Title = "Subscribe to " + text(item, "description")
		shown.Lines = append(shown.Lines, line{Name: text(item, "description"), Price: priceWords(within(item, "price"))})
	}
	return shown
}

func priceWords(price object) string {
	recurring := within(price, "recurring")
	if text(recurring, "usage_type") == "metered" {
		return text(price, "unit_amount_decimal") + " of a " + strings.ToUpper(text(price, "currency")) + " cent for each unit used"
	}
	return money(number(price, "unit_amount"), text(price, "currency")) + " a " + text(recurring, "interval")
}

// submitCheckout pays, or goes back; a card that is declined leaves the session open.
func (c *call) submitCheckout(field func(string) string) *page {
	shown := c.showCheckout(field)
	if shown.name != "checkout" {
		return shown
	}
	session, _ := c.server.state.Sessions.get(c.id)
	switch action, card := field("action"), field("card"); {
	case action == "cancel" && session["cancel_url"] != nil:
		return &page{redirect: text(session, "cancel_url")}
	case action != "pay":
		shown.status, shown.Alert = http.StatusBadRequest, "Pay or cancel."
	case card == "declined":
		shown.status, shown.Alert = http.StatusPaymentRequired, "Your card was declined: try another one."
	default:
		if err := c.complete(session, card == "fails_later"); err != nil {
			shown.status, shown.Alert = http.StatusConflict, err.message
			return shown
		}
		return &page{redirect: strings.ReplaceAll(text(session, "success_url"), "{CHECKOUT_SESSION_ID}", c.id)}
	}
	return shown
}
