package billingtest

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"time"
)

// What Stripe accepts (https://docs.stripe.com/api/billing/meter-event/create).
const (
	maxIdentifier = 100
	eventPast     = 35 * 24 * time.Hour
	eventFuture   = 5 * time.Minute
	eventUnique   = 24 * time.Hour
)

func (c *call) createMeterEvent() (object, *apiError) {
	event := object{
		"object": "billing.meter_event", "created": c.now, "event_name": c.params.required("event_name"),
		"identifier": c.params.text("identifier"), "livemode": false, "timestamp": c.now,
	}
	if c.params.has("timestamp") {
		event["timestamp"] = c.params.integer("timestamp")
	}
	payload := object{}
	if given := c.params.within("payload"); given != nil {
		for key := range given.values {
			payload[key] = given.text(key)
		}
	} else {
		c.params.fail(required("payload"))
	}
	event["payload"] = payload
	if err := c.params.done(); err != nil {
		return nil, err
	}
	if text(event, "identifier") == "" {
		event["identifier"] = newID("")
	}
	if err := c.checkMeterEvent(event, payload); err != nil {
		return nil, err
	}
	c.server.state.MeterEvents.add(text(event, "identifier"), event)
	c.server.meterEvents = nil
	return clone(event), nil
}

func (c *call) checkMeterEvent(event, payload object) *apiError {
	meter := c.meterFor(text(event, "event_name"))
	if meter == nil {
		return invalid("event_name", "resource_missing", "No active meter found for event name %s.", text(event, "event_name"))
	}
	if len(text(event, "identifier")) > maxIdentifier {
		return invalid("identifier", "", "Invalid string: must be at most %d characters", maxIdentifier)
	}
	at := time.Unix(number(event, "timestamp"), 0)
	if at.Before(c.at.Add(-eventPast)) {
		return invalid("timestamp", "", "The timestamp provided is too far in the past. It must be within the past 35 calendar days.")
	}
	if at.After(c.at.Add(eventFuture)) {
		return invalid("timestamp", "", "The timestamp provided is too far in the future. It must be at most 5 minutes in the future.")
	}
	customerKey := text(within(meter, "customer_mapping"), "event_payload_key")
	customer := text(payload, customerKey)
	if held, ok := c.server.state.Customers.get(customer); !ok || held["deleted"] == true {
		return missing(http.StatusBadRequest, "customer", "payload["+customerKey+"]", customer)
	}
	valueKey := text(within(meter, "value_settings"), "event_payload_key")
	if _, err := strconv.ParseFloat(text(payload, valueKey), 64); err != nil {
		return invalid("payload["+valueKey+"]", "", "The value for '%s' must be a number.", valueKey)
	}
	identifier := text(event, "identifier")
	if held, ok := c.server.state.MeterEvents.get(identifier); ok && c.now-number(held, "created") < int64(eventUnique/time.Second) {
		err := invalid("", "", "An event already exists with identifier %s.", identifier)
		err.header = http.Header{"Stripe-Should-Retry": {"false"}}
		return err
	}
	return nil
}

// window is the step of grouped summaries, in seconds.
var window = map[string]int64{"": 60, "hour": 60 * 60, "day": 24 * 60 * 60}

func (c *call) listMeterEventSummaries() (object, *apiError) {
	meter, err := c.meter()
	if err != nil {
		return nil, err
	}
	customer := c.params.required("customer")
	start, end := c.params.integer("start_time"), c.params.integer("end_time")
	grouping := c.params.oneOf("value_grouping_window", "hour", "day")
	for _, name := range []string{"start_time", "end_time"} {
		c.params.required(name)
		if c.params.integer(name)%window[grouping] != 0 {
			unit := map[string]string{"": "minute", "hour": "hour", "day": "UTC day"}[grouping]
			c.params.fail(invalid(name, "", "Invalid %s: must align with %s boundaries.", name, unit))
		}
	}
	if customer != "" {
		if held, ok := c.server.state.Customers.get(customer); !ok || held["deleted"] == true {
			return nil, missing(http.StatusBadRequest, "customer", "customer", customer)
		}
	}
	if start >= end {
		c.params.fail(invalid("end_time", "", "end_time must be after start_time."))
	}
	var summaries []object
	step := window[grouping]
	if grouping == "" {
		step = end - start
	}
	for at := start; at < end && len(summaries) < 1<<16; at += step {
		summaries = append(summaries, c.summary(meter, customer, at, at+step))
	}
	return c.list("billing meter event summary", "/v1/billing/meters/"+c.id+"/event_summaries", &collection{Items: summaries}, func(o object) bool {
		return grouping == "" || o["aggregated_value"] != 0.0
	})
}

// summary is the sum, or the count, of the events of a span [start, end).
func (c *call) summary(meter object, customer string, start, end int64) object {
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%s %s %d %d", text(meter, "id"), customer, start, end)
	return object{
		"id": fmt.Sprintf("mtrusg_test_%x", hash.Sum64()), "object": "billing.meter_event_summary",
		"aggregated_value": c.server.sum(meter, customer, start, end, c.at.Add(-c.server.options.MeterLag)), "start_time": start, "end_time": end,
		"livemode": false, "meter": meter["id"],
	}
}

// sum adds up a customer's events that came until a moment; the caller holds the lock.
func (s *Server) sum(meter object, customer string, start, end int64, until time.Time) float64 {
	customerKey := text(within(meter, "customer_mapping"), "event_payload_key")
	valueKey := text(within(meter, "value_settings"), "event_payload_key")
	if s.meterEvents == nil {
		s.meterEvents = map[string][]object{}
		for _, event := range s.state.MeterEvents.Items {
			key := text(event, "event_name") + " " + text(within(event, "payload"), customerKey)
			s.meterEvents[key] = append(s.meterEvents[key], event)
		}
	}
	total := 0.0
	for _, event := range s.meterEvents[text(meter, "event_name")+" "+customer] {
		if at := number(event, "timestamp"); at < start || at >= end || number(event, "created") > until.Unix() {
			continue
		}
		value, _ := strconv.ParseFloat(text(within(event, "payload"), valueKey), 64)
		if text(within(meter, "default_aggregation"), "formula") == "count" {
			value = 1
		}
		total += value
	}
	return total
}
