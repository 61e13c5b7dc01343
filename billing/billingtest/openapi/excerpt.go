package openapi

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// spoken are the resources that the stand-in answers with; all others may stand in
// their answers only as ids, and are cut out of the description, which is large.
var spoken = []string{
	"customer", "deleted_customer", "product", "deleted_product", "price", "subscription", "subscription_item",
	"event", "checkout.session", "item", "billing_portal.session", "billing.meter", "billing.meter_event", "billing.meter_event_summary", "error",
}

// families are the paths that the stand-in serves.
var families = regexp.MustCompile(`^/v1/(customers|customers/search|products|prices|subscriptions|events|checkout/sessions|billing_portal/sessions|billing/meters|billing/meter_events)(/\{[a-z_]+\}(/expire|/deactivate|/reactivate|/event_summaries)?)?$`)

var reference = regexp.MustCompile(`"#/components/schemas/([^"]+)"`)

// excerpt is the part of a description that families and spoken name.
func excerpt(description []byte) ([]byte, error) {
	var document struct {
		OpenAPI    string                     `json:"openapi"`
		Info       json.RawMessage            `json:"info"`
		Paths      map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(description, &document); err != nil {
		return nil, err
	}
	all := document.Components.Schemas
	kept := map[string]json.RawMessage{}
	var keep func(json.RawMessage)
	keep = func(text json.RawMessage) {
		for _, found := range reference.FindAllSubmatch(text, -1) {
			name := string(found[1])
			if kept[name] != nil {
				continue
			}
			if strings.Contains(string(all[name]), `"x-resourceId"`) && !slices.Contains(spoken, name) {
				kept[name] = json.RawMessage(`{"type": "object", "maxProperties": 0}`)
				continue
			}
			kept[name] = all[name]
			keep(all[name])
		}
	}
	for path, item := range document.Paths {
		if !families.MatchString(path) {
			delete(document.Paths, path)
			continue
		}
		keep(item)
	}
	document.Components.Schemas = kept
	return json.Marshal(document)
}
