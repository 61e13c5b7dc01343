package billingtest

import (
	"net/http"
	"reflect"
	"strings"
	"time"
)

// eventsKept is how long Stripe lists an event (https://docs.stripe.com/api/events).
const eventsKept = 30 * 24 * time.Hour

// record makes an event of what happened to an object; previous is what an update
// changed, nil for anything else. It goes to the webhooks too.
func (c *call) record(kind string, o, previous object) {
	shown := clone(o)
	delete(shown, "tiers")
	delete(shown, "line_items")
	data := object{"object": shown}
	if previous != nil {
		data["previous_attributes"] = previous
	}
	id := newID("evt_")
	event := object{
		"id": id, "object": "event", "api_version": defaultVersion, "created": c.now, "data": data, "livemode": false,
		"pending_webhooks": int64(c.server.webhooks.count(kind)),
		"request":          object{"id": orNil(c.request), "idempotency_key": orNil(c.key)}, "type": kind,
	}
	c.server.state.Events.add(id, event)
	c.server.dirty = true
	c.server.webhooks.put(event)
}

// updated records an update, where it changed anything.
func (c *call) updated(kind string, before, after object) {
	previous := changed(before, after)
	if _, stamped := previous["updated"]; len(previous) == 0 || stamped && len(previous) == 1 {
		return
	}
	c.record(kind, after, previous)
}

// changed is what an object held before, of the fields that differ; of objects within
// only what differs within them.
func changed(before, after object) object {
	previous := object{}
	for name, value := range after {
		held, ok := before[name]
		if !ok {
			previous[name] = nil
			continue
		}
		if reflect.DeepEqual(held, value) {
			continue
		}
		inner, innerAfter := within(before, name), within(after, name)
		if inner != nil && innerAfter != nil {
			previous[name] = changed(inner, innerAfter)
			continue
		}
		previous[name] = cloneValue(held)
	}
	for name, held := range before {
		if _, ok := after[name]; !ok {
			previous[name] = cloneValue(held)
		}
	}
	return previous
}

func (c *call) getEvent() (object, *apiError) {
	event, ok := c.server.state.Events.get(c.id)
	if !ok || c.now-number(event, "created") > int64(eventsKept/time.Second) {
		return nil, missing(http.StatusNotFound, "event", "id", c.id)
	}
	if err := c.params.done(); err != nil {
		return nil, err
	}
	return clone(event), nil
}

// maxEventTypes is how many types one list may ask for.
const maxEventTypes = 20

func (c *call) listEvents() (object, *apiError) {
	created, kind, kinds := c.created(), c.params.text("type"), c.params.texts("types")
	switch {
	case kind != "" && len(kinds) > 0:
		c.params.fail(invalid("types", "", "You may pass either `type` or `types`, but not both."))
	case len(kinds) > maxEventTypes:
		c.params.fail(invalid("types", "", "You may pass up to %d event types.", maxEventTypes))
	case kind != "":
		kinds = []string{kind}
	}
	horizon := c.now - int64(eventsKept/time.Second)
	return c.list("event", "/v1/events", c.server.state.Events, func(o object) bool {
		return number(o, "created") >= horizon && created(o) && ofType(text(o, "type"), kinds)
	})
}

// ofType tells whether an event's type is among some, which may end in *; all are
// where none is named.
func ofType(kind string, kinds []string) bool {
	for _, wanted := range kinds {
		start, group := strings.CutSuffix(wanted, "*")
		if kind == wanted || group && strings.HasPrefix(kind, start) {
			return true
		}
	}
	return len(kinds) == 0
}

// forgetEvents drops the events that are no longer listed; the caller holds the lock.
func (s *Server) forgetEvents(now time.Time) {
	old, horizon := 0, now.Add(-eventsKept).Unix()
	for _, event := range s.state.Events.Items {
		if number(event, "created") >= horizon {
			break
		}
		old++
	}
	if old > 0 {
		s.state.Events.Items, s.state.Events.index, s.dirty = s.state.Events.Items[old:], nil, true
	}
}
