package openapi

import "strings"

// difference is where the description, of API version 2024-04-10, asks for what
// 2023-10-16, which stripe-go v76 speaks, does not have.
type difference struct {
	object string
	reason string
	settle func(map[string]any)
}

var differences = []difference{
	{
		object: "product",
		reason: "features was renamed to marketing_features",
		settle: func(o map[string]any) {
			if features, ok := o["features"]; ok {
				o["marketing_features"] = features
				delete(o, "features")
			}
		},
	},
	{object: "subscription", reason: "discounts joined discount", settle: withDiscounts},
	{object: "subscription_item", reason: "items got discounts of their own", settle: withDiscounts},
}

// addition is a value that Stripe takes, in every API version, since after the
// description was cut.
type addition struct {
	path, parameter, value string
	reason                 string
}

var additions = []addition{{
	path: "/event_summaries", parameter: "value_grouping_window", value: "day",
	reason: "daily windows came beside hourly ones: https://docs.stripe.com/api/billing/meter-event-summary/list",
}}

// added tells whether a parameter's value is one of the additions.
func added(path, parameter string, value any) bool {
	for _, a := range additions {
		if strings.HasSuffix(path, a.path) && a.parameter == parameter && a.value == value {
			return true
		}
	}
	return false
}

func withDiscounts(o map[string]any) {
	if _, ok := o["discounts"]; !ok {
		o["discounts"] = []any{}
	}
}

// settle makes an answer of 2023-10-16 one of 2024-04-10.
func settle(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			v[name] = settle(inner)
		}
		for _, d := range differences {
			if v["object"] == d.object {
				d.settle(v)
			}
		}
	case []any:
		for i, inner := range v {
			v[i] = settle(inner)
		}
	}
	return value
}
