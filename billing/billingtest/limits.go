package billingtest

import (
	"net/http"
	"strings"
	"time"
)

// Limits says which of the documented rate limits hold
// (https://docs.stripe.com/rate-limits). They are token buckets that hold a second's
// worth (https://stripe.com/blog/rate-limiters), and fill in real time, as clients
// wait in real time.
type Limits int

const (
	// TestMode is 25 requests a second in all.
	TestMode Limits = iota
	// LiveMode is 100 a second in all, and 25 on one endpoint.
	LiveMode
	// Unlimited lets everything through: for tests that look at something else with
	// thousands of requests.
	Unlimited
)

// Aside is a header for requests of a test's own: they are not limited, not counted and
// meet no faults.
const Aside = "Drydock-Aside"

// The documented limits, in requests a second. Search has its own in either mode, and
// counts in all too; meter events have their own alone.
const (
	testRate       = 25
	liveRate       = 100
	endpointRate   = 25
	searchRate     = 20
	meterEventRate = 1000
)

// limits holds a bucket for each name.
type limits struct {
	all     int
	buckets map[string]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimits(mode Limits) *limits {
	l := &limits{all: testRate, buckets: map[string]*bucket{}}
	if mode == LiveMode {
		l.all = liveRate
	}
	return l
}

// take lets a request through, or not; one that is refused costs nothing.
func (l *limits) take(template string, now time.Time) *apiError {
	switch {
	case strings.HasSuffix(template, "/meter_events"):
		return l.count(now, "endpoint-rate", template, meterEventRate)
	case strings.HasSuffix(template, "/search"):
		if err := l.count(now, "endpoint-rate", template, searchRate); err != nil {
			return err
		}
	default:
		if err := l.count(now, "endpoint-rate", template, endpointRate); err != nil {
			return err
		}
	}
	err := l.count(now, "global-rate", "all", l.all)
	if err != nil {
		l.buckets[template].tokens++
	}
	return err
}

func (l *limits) count(now time.Time, reason, name string, rate int) *apiError {
	held, ok := l.buckets[name]
	if !ok {
		held = &bucket{tokens: float64(rate), at: now}
		l.buckets[name] = held
	}
	held.tokens = min(float64(rate), held.tokens+now.Sub(held.at).Seconds()*float64(rate))
	held.at = now
	if held.tokens < 1 {
		return limited(reason)
	}
	held.tokens--
	return nil
}

// limited is a 429 with its reason.
func limited(reason string) *apiError {
	e := invalid("", "rate_limit", "Testmode request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.")
	e.status = http.StatusTooManyRequests
	e.header = http.Header{"Stripe-Rate-Limited-Reason": {reason}}
	return e
}
