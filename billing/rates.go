package billing

import (
	"errors"
	"net/http"
	"strings"

	"drydock.dev/drydock/transport"
)

// Limits are Stripe's, for the whole account, in requests a second
// (https://docs.stripe.com/rate-limits). Nine tenths of each are used as a flow, one
// tenth as bursts, divided by the number of processes that share the account. Fields of 0
// are what is documented for the key's mode: in all 100 live and 25 in test mode, on one
// endpoint 25, Search 20, meter events 1000 beside all that.
type Limits struct {
	Total, Endpoint, Search, MeterEvents float64
	// Concurrency bounds the requests that one process has under way; 32 where 0.
	Concurrency int
}

func (l *Limits) complete(key string) error {
	if l.Total < 0 || l.Endpoint < 0 || l.Search < 0 || l.MeterEvents < 0 || l.Concurrency < 0 {
		return errors.New("billing: Stripe's rate limits must not be negative")
	}
	documented := Limits{Total: 25, Endpoint: 25, Search: 20, MeterEvents: 1000, Concurrency: 32}
	if strings.HasPrefix(key, "sk_live_") || strings.HasPrefix(key, "rk_live_") {
		documented.Total = 100
	}
	for _, pair := range [][2]*float64{
		{&l.Total, &documented.Total}, {&l.Endpoint, &documented.Endpoint},
		{&l.Search, &documented.Search}, {&l.MeterEvents, &documented.MeterEvents},
	} {
		if *pair[0] == 0 {
			*pair[0] = *pair[1]
		}
	}
	if l.Concurrency == 0 {
		l.Concurrency = documented.Concurrency
	}
	return nil
}

// buckets are the limits that an operation is under.
func (l *Limits) buckets(operation string) []transport.Bucket {
	total := transport.Bucket{Name: "total", Limit: l.Total, Reason: "global"}
	switch {
	case operation == http.MethodPost+" /v1/billing/meter_events":
		return []transport.Bucket{{Name: operation, Limit: l.MeterEvents, Reason: "endpoint"}}
	case strings.HasSuffix(operation, "/search"):
		return []transport.Bucket{total, {Name: "search", Limit: l.Search, Reason: "endpoint"}}
	default:
		return []transport.Bucket{total, {Name: operation, Limit: l.Endpoint, Reason: "endpoint"}}
	}
}

// Share makes this client's part of the limits one of so many: each gateway and each
// controller that uses the Stripe account counts.
func (c *Client) Share(replicas int) { c.stripe.limiter.Share(replicas) }
