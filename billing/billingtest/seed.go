package billingtest

import (
	"fmt"
	"net/url"
	"time"

	"drydock.dev/drydock/billing/billingtest/form"
)

// eventName is the meter's, which Drydock reports build seconds to.
const eventName = "drydock_build_seconds"

// seedPlan is a plan to start from.
type seedPlan struct {
	id, name, description string
	// cents is the monthly price.
	cents string
	// centsPerSecond is the metered price; empty: none.
	centsPerSecond string
	metadata       map[string]string
}

var seedPlans = []seedPlan{
	{
		id: "prod_drydock_free", name: "Free", description: "For trying things out.", cents: "0",
		metadata: map[string]string{
			"drydock.default": "true", "drydock.concurrent_builds": "2", "drydock.images": "25",
			"drydock.included_build_minutes": "100", "drydock.build_timeout_seconds": "900", "drydock.cpu": "2", "drydock.memory": "2Gi",
		},
	},
	{
		id: "prod_drydock_team", name: "Team", description: "For a team that ships every day.", cents: "2000", centsPerSecond: "0.01",
		metadata: map[string]string{
			"drydock.concurrent_builds": "5", "drydock.images": "100", "drydock.included_build_minutes": "1000",
			"drydock.build_timeout_seconds": "1800", "drydock.cpu": "4", "drydock.memory": "8Gi",
		},
	},
	{
		id: "prod_drydock_scale", name: "Scale", description: "For many teams and large images.", cents: "10000", centsPerSecond: "0.008",
		metadata: map[string]string{
			"drydock.concurrent_builds": "20", "drydock.images": "1000", "drydock.included_build_minutes": "10000",
			"drydock.build_timeout_seconds": "3600", "drydock.cpu": "8", "drydock.memory": "16Gi",
		},
	},
}

// seed fills an empty state through the same endpoints that clients use.
func (s *Server) seed() error {
	now := s.options.Now()
	meter, err := s.plant(now, (*call).createMeter, url.Values{
		"display_name": {"Drydock build seconds"}, "event_name": {eventName}, "default_aggregation[formula]": {"sum"},
	})
	if err != nil {
		return err
	}
	for _, plan := range seedPlans {
		product := url.Values{
			"id": {plan.id}, "name": {plan.name}, "description": {plan.description}, "metadata[drydock.plan]": {"true"},
		}
		for key, value := range plan.metadata {
			product.Set("metadata["+key+"]", value)
		}
		if _, err := s.plant(now, (*call).createProduct, product); err != nil {
			return err
		}
		price := url.Values{"product": {plan.id}, "currency": {"usd"}, "recurring[interval]": {"month"}, "unit_amount": {plan.cents}}
		if _, err := s.plant(now, (*call).createPrice, price); err != nil {
			return err
		}
		if plan.centsPerSecond == "" {
			continue
		}
		price.Del("unit_amount")
		price.Set("unit_amount_decimal", plan.centsPerSecond)
		price.Set("recurring[usage_type]", "metered")
		price.Set("recurring[meter]", text(meter, "id"))
		if _, err := s.plant(now, (*call).createPrice, price); err != nil {
			return err
		}
	}
	s.dirty = true
	return nil
}

func (s *Server) plant(now time.Time, handle endpoint, values url.Values) (object, error) {
	made, failure := handle(&call{server: s, params: newParams(form.Parse(values)), at: now, now: now.Unix()})
	if failure != nil {
		return nil, fmt.Errorf("seed: %s", failure.message)
	}
	return made, nil
}

// AddCustomer makes the customer of a login as one made at some time in the past: no
// event tells of it, and Search knows it. It gives the customer's id.
func (s *Server) AddCustomer(login string, created time.Time) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{server: s, params: newParams(map[string]any{"metadata": map[string]any{"drydock.login": login}}), at: created, now: created.Unix()}
	customer := c.newCustomer()
	if _, failure := c.setCustomer(customer); failure != nil {
		return "", fmt.Errorf("customer %s: %s", login, failure.message)
	}
	s.state.Customers.insert(customer)
	s.searchable.put(text(customer, "id"), clone(customer))
	s.dirty = true
	return text(customer, "id"), nil
}
