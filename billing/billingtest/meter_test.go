package billingtest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/billing/billingtest"
)

func unix(at time.Time) string { return fmt.Sprint(at.Unix()) }

// event reports seconds of a customer.
func (o *operator) event(identifier, customer, value string, at time.Time) reply {
	o.t.Helper()
	return o.do("POST", "/v1/billing/meter_events", "event_name", "drydock_build_seconds", "identifier", identifier,
		"payload[stripe_customer_id]", customer, "payload[value]", value, "timestamp", unix(at))
}

func TestMeterEvents(t *testing.T) {
	o := newOperator(t, billingtest.Options{})
	customer := o.must("POST", "/v1/customers").id()
	cases := []struct {
		reason     string
		identifier string
		value      string
		at         time.Time
		status     int
	}{
		{"a first event", "a", "10", noon, 200},
		{"its identifier again", "a", "10", noon, 400},
		{"another one", "b", "5", noon, 200},
		{"five minutes ahead", "c", "1", noon.Add(5 * time.Minute), 200},
		{"more than that", "d", "1", noon.Add(6 * time.Minute), 400},
		{"35 days back", "e", "1", noon.Add(-35 * 24 * time.Hour), 200},
		{"more than that", "f", "1", noon.Add(-36 * 24 * time.Hour), 400},
		{"no number", "g", "many", noon, 400},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			if got := o.event(c.identifier, customer, c.value, c.at); got.status != c.status {
				t.Errorf("got %d %v", got.status, got.object)
			}
		})
	}
	o.advance(25 * time.Hour)
	if got := o.event("a", customer, "10", noon); got.status != 200 {
		t.Errorf("a day later the identifier is free again: %d", got.status)
	}
	if got := o.stripe.MeterSum(customer, noon, noon.Add(time.Hour)); got != 26 {
		t.Errorf("the sum is %d", got)
	}
}

func TestSummaries(t *testing.T) {
	o := newOperator(t, billingtest.Options{})
	customer, other := o.must("POST", "/v1/customers").id(), o.must("POST", "/v1/customers").id()
	meter := o.must("GET", "/v1/billing/meters").data()[0]["id"].(string)
	midnight := noon.Truncate(24 * time.Hour)
	for i, at := range []time.Time{midnight.Add(-time.Second), midnight, midnight.Add(59 * time.Minute), midnight.Add(time.Hour), noon} {
		o.event(fmt.Sprint(i), customer, fmt.Sprint(1<<i), at)
		o.event(fmt.Sprint("other", i), other, "1000", at)
	}
	cases := []struct {
		reason     string
		start, end time.Time
		window     string
		want       []float64 // newest first
		status     int
	}{
		{"one sum", midnight, noon, "", []float64{14}, 200},
		{"the end is not in it", midnight, midnight.Add(time.Hour), "", []float64{6}, 200},
		{"nothing is a sum too", noon.Add(time.Hour), noon.Add(2 * time.Hour), "", []float64{0}, 200},
		{"by the hour, where there is something", midnight, midnight.Add(24 * time.Hour), "hour", []float64{16, 8, 6}, 200},
		{"by the day", midnight.Add(-24 * time.Hour), midnight.Add(24 * time.Hour), "day", []float64{30, 1}, 200},
		{"no minute", midnight.Add(time.Second), noon, "", nil, 400},
		{"no hour", midnight.Add(time.Minute), noon, "hour", nil, 400},
		{"no day", midnight, noon, "day", nil, 400},
		{"the wrong way round", noon, midnight, "", nil, 400},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			form := []string{"customer", customer, "start_time", unix(c.start), "end_time", unix(c.end)}
			if c.window != "" {
				form = append(form, "value_grouping_window", c.window)
			}
			got := o.do("GET", "/v1/billing/meters/"+meter+"/event_summaries", form...)
			var sums []float64
			for _, summary := range got.data() {
				sums = append(sums, summary["aggregated_value"].(float64))
			}
			if diff := cmp.Diff(c.want, sums); diff != "" || got.status != c.status {
				t.Errorf("%d %v (-want +got):\n%s", got.status, got.object, diff)
			}
		})
	}
}

// TestSummariesLag has the sums show an event later than it was taken.
func TestSummariesLag(t *testing.T) {
	o := newOperator(t, billingtest.Options{MeterLag: time.Minute})
	customer := o.must("POST", "/v1/customers").id()
	meter := o.must("GET", "/v1/billing/meters").data()[0]["id"].(string)
	o.event("a", customer, "10", noon)
	sum := func() any {
		return o.must("GET", "/v1/billing/meters/"+meter+"/event_summaries", "customer", customer,
			"start_time", fmt.Sprint(noon.Unix()), "end_time", fmt.Sprint(noon.Add(time.Hour).Unix())).data()[0]["aggregated_value"]
	}
	if got := sum(); got != 0.0 {
		t.Errorf("%v at once", got)
	}
	o.advance(time.Minute)
	if got := sum(); got != 10.0 {
		t.Errorf("%v a minute later", got)
	}
}
