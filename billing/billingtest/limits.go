package billingtest

import (
	"net/http"
	"strings"
	"time"
)

// The documented limits of test mode, in requests a second
// (https://docs.stripe.com/rate-limits).
const (
	globalRate     = 25
	endpointRate   = 25
	searchRate     = 20
	meterEventRate = 1000
)

// limits counts the requests of the present second.
type limits struct {
	second int64
	counts map[string]int
}

func newLimits() *limits { return &limits{counts: map[string]int{}} }

func (l *limits) take(template string, now time.Time) *apiError {
	if second := now.Unix(); second != l.second {
		l.second = second
		clear(l.counts)
	}
	switch {
	case strings.HasSuffix(template, "/meter_events"):
		return l.count(template, meterEventRate, "endpoint-rate")
	case strings.HasSuffix(template, "/search"):
		if err := l.count(template, searchRate, "endpoint-rate"); err != nil {
			return err
		}
	default:
		if err := l.count(template, endpointRate, "endpoint-rate"); err != nil {
			return err
		}
	}
	return l.count("all", globalRate, "global-rate")
}

func (l *limits) count(name string, limit int, reason string) *apiError {
	if l.counts[name] >= limit {
		return limited(reason)
	}
	l.counts[name]++
	return nil
}

// limited is a 429 with its reason.
func limited(reason string) *apiError {
	e := invalid("", "rate_limit", "Testmode request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.")
	e.status = http.StatusTooManyRequests
	e.header = http.Header{"Stripe-Rate-Limited-Reason": {reason}}
	return e
}
