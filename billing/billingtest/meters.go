package billingtest

import "net/http"

func (c *call) createMeter() (object, *apiError) {
	meter := object{
		"id": newID("mtr_test_"), "object": "billing.meter", "created": c.now, "updated": c.now,
		"customer_mapping":    object{"event_payload_key": "stripe_customer_id", "type": "by_id"},
		"default_aggregation": object{"formula": "sum"}, "display_name": c.params.required("display_name"),
		"event_name": c.params.required("event_name"), "event_time_window": orNil(c.params.oneOf("event_time_window", "day", "hour")),
		"livemode": false, "status": "active", "status_transitions": object{"deactivated_at": nil},
		"value_settings": object{"event_payload_key": "value"},
	}
	if given := c.params.within("default_aggregation"); given != nil {
		within(meter, "default_aggregation")["formula"] = given.oneOf("formula", "sum", "count")
	} else {
		c.params.fail(required("default_aggregation"))
	}
	if given := c.params.within("customer_mapping"); given != nil {
		given.oneOf("type", "by_id")
		within(meter, "customer_mapping")["event_payload_key"] = given.required("event_payload_key")
	}
	if given := c.params.within("value_settings"); given != nil {
		within(meter, "value_settings")["event_payload_key"] = given.required("event_payload_key")
	}
	if err := c.params.done(); err != nil {
		return nil, err
	}
	if c.meterFor(text(meter, "event_name")) != nil {
		return nil, invalid("event_name", "", "A meter with the event name '%s' already exists.", text(meter, "event_name"))
	}
	c.server.state.Meters.add(text(meter, "id"), meter)
	return clone(meter), nil
}

func (c *call) meter() (object, *apiError) {
	meter, ok := c.server.state.Meters.get(c.id)
	if !ok {
		return nil, missing(http.StatusNotFound, "billing meter", "id", c.id)
	}
	return meter, nil
}

func (c *call) getMeter() (object, *apiError) {
	meter, err := c.meter()
	if err != nil {
		return nil, err
	}
	if err := c.params.done(); err != nil {
		return nil, err
	}
	return clone(meter), nil
}

func (c *call) listMeters() (object, *apiError) {
	status := c.params.oneOf("status", "active", "inactive")
	return c.list("billing meter", "/v1/billing/meters", c.server.state.Meters, func(o object) bool {
		return status == "" || text(o, "status") == status
	})
}

func (c *call) deactivateMeter() (object, *apiError) { return c.setMeterStatus("inactive", c.now) }

func (c *call) reactivateMeter() (object, *apiError) { return c.setMeterStatus("active", nil) }

func (c *call) setMeterStatus(status string, deactivated any) (object, *apiError) {
	meter, err := c.meter()
	if err != nil {
		return nil, err
	}
	if err := c.params.done(); err != nil {
		return nil, err
	}
	meter["status"], meter["status_transitions"], meter["updated"] = status, object{"deactivated_at": deactivated}, c.now
	return clone(meter), nil
}

// meterFor is the active meter of an event name.
func (c *call) meterFor(eventName string) object {
	for _, meter := range c.server.state.Meters.Items {
		if text(meter, "event_name") == eventName && text(meter, "status") == "active" {
			return meter
		}
	}
	return nil
}
