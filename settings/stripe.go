package settings

import (
	"flag"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// StripeAccess is how a program reaches Stripe.
type StripeAccess struct {
	// Key is a secret or restricted API key; APIBase is where the API is.
	Key, APIBase string
	// Rates are the rate limits; they are there after Validate.
	Rates Rates

	rates string
}

// Stripe is how a program that runs on uses Stripe: the same settings in each of them.
type Stripe struct {
	StripeAccess
	// CatchUpEvery is how often the list of events is read for what no webhook told.
	CatchUpEvery time.Duration
	// Grace is how long builds go on after a payment failed.
	Grace time.Duration
}

// Rates are Stripe's rate limits for the whole account, in requests a second; 0 is
// Stripe's documented one. Concurrency is how many requests one process has under way.
type Rates struct {
	Total, Endpoint, Search, MeterEvents float64
	Concurrency                          int
}

// Bind binds the settings to flags.
func (s *StripeAccess) Bind(set *flag.FlagSet) []Setting {
	set.StringVar(&s.Key, "stripe-key", "", "")
	set.StringVar(&s.APIBase, "stripe-api-base", "https://api.stripe.com", "")
	set.StringVar(&s.rates, "stripe-rate-limits", "", "")
	return []Setting{
		{Flag: "stripe-key", Env: "STRIPE_SECRET_KEY", Secret: true, Help: "Stripe's secret key"},
		{Flag: "stripe-api-base", Env: "STRIPE_API_BASE", Help: "Stripe's API"},
		{Flag: "stripe-rate-limits", Env: "STRIPE_RATE_LIMITS", Help: "Stripe's limits in requests a second for the whole account, where they are not the documented ones, such as total=200,endpoint=50,search=20,meter-events=1000; concurrency=32 bounds the requests that one process has under way"},
	}
}

// Bind binds the settings to flags.
func (s *Stripe) Bind(set *flag.FlagSet) []Setting {
	set.DurationVar(&s.CatchUpEvery, "catch-up-every", 2*time.Minute, "")
	set.DurationVar(&s.Grace, "grace-period", 7*24*time.Hour, "")
	return append(s.StripeAccess.Bind(set),
		Setting{Flag: "catch-up-every", Env: "DRYDOCK_CATCH_UP_EVERY", Help: "how often Stripe's events are read for what no webhook told"},
		Setting{Flag: "grace-period", Env: "DRYDOCK_GRACE_PERIOD", Help: "how long builds go on after a subscription's payment failed"})
}

// Validate checks the settings and reads the rate limits.
func (s *StripeAccess) Validate() error {
	base, err := url.Parse(s.APIBase)
	switch {
	case s.Key == "":
		return Wrong("stripe-key", "is missing")
	case !strings.HasPrefix(s.Key, "sk_") && !strings.HasPrefix(s.Key, "rk_"):
		return Wrong("stripe-key", "is not a secret or restricted key: those begin with sk_ or rk_")
	case err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.User != nil || base.RawQuery != "":
		return Wrong("stripe-api-base", "is not a URL such as https://api.stripe.com: %q", s.APIBase)
	}
	return s.readRates()
}

// Validate checks the settings and reads the rate limits.
func (s *Stripe) Validate() error {
	switch {
	case s.CatchUpEvery < time.Second:
		return Wrong("catch-up-every", "is less than 1s: %s", s.CatchUpEvery)
	case s.Grace < time.Second:
		return Wrong("grace-period", "is less than 1s: %s", s.Grace)
	}
	return s.StripeAccess.Validate()
}

func (s *StripeAccess) readRates() error {
	concurrency := 0.0
	fields := map[string]*float64{"total": &s.Rates.Total, "endpoint": &s.Rates.Endpoint, "search": &s.Rates.Search,
		"meter-events": &s.Rates.MeterEvents, "concurrency": &concurrency}
	for part := range strings.SplitSeq(s.rates, ",") {
		if s.rates == "" {
			break
		}
		name, text, _ := strings.Cut(strings.TrimSpace(part), "=")
		field, known := fields[name]
		if !known {
			return Wrong("stripe-rate-limits", "has an unknown limit %q: it knows total, endpoint, search, meter-events and concurrency", name)
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil || !(value > 0 && value <= 1e6) {
			return Wrong("stripe-rate-limits", "is not a number above 0 for %s: %q", name, text)
		}
		*field = value
	}
	if s.Rates.Concurrency = int(concurrency); float64(s.Rates.Concurrency) != concurrency {
		return Wrong("stripe-rate-limits", "is not a whole number for concurrency: %v", concurrency)
	}
	return nil
}

// LogValue shows the settings without the key.
func (s *Stripe) LogValue() slog.Value {
	return slog.GroupValue(slog.Bool("key", s.Key != ""), slog.String("apiBase", s.APIBase), slog.String("rateLimits", s.rates),
		slog.Duration("catchUpEvery", s.CatchUpEvery), slog.Duration("gracePeriod", s.Grace))
}
