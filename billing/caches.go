package billing

import (
	"errors"
	"time"

	"drydock.dev/drydock/cache"
	"drydock.dev/drydock/fault"
)

// How long answers of Stripe's hold. What another replica or the dashboard changed is
// seen when they run out; what this client wrote is seen at once.
const (
	accountTTL = 15 * time.Second
	usageTTL   = 10 * time.Second
	// unknownTTL is how long a login that nobody has costs no request.
	unknownTTL = 5 * time.Second
	meterTTL   = time.Hour
	productTTL = 5 * time.Second
	// outage is how long old answers stand in when Stripe fails.
	outage = 24 * time.Hour
)

func (c *Client) makeCaches() error {
	metrics, err := cache.NewMetrics(c.options.Registerer)
	if err != nil {
		return err
	}
	base := cache.Options{
		IsNegative: func(err error) bool { return fault.KindOf(err) == fault.NotFound },
		Now:        c.options.Now, Metrics: metrics, Stale: outage,
	}
	var errs []error
	keep := func(err error) { errs = append(errs, err) }
	with := func(name string, capacity int64, ttl time.Duration) cache.Options {
		options := base
		options.Name, options.Capacity, options.TTL = name, capacity, ttl
		return options
	}

	c.accounts, err = cache.New[*record](with("accounts", 50_000, accountTTL))
	keep(err)
	c.usage, err = cache.New[*usageRecord](with("usage", 50_000, usageTTL))
	keep(err)

	unknown := with("unknown_logins", 10_000, 0)
	unknown.Stale, unknown.Negative = 0, unknownTTL
	c.unknown, err = cache.New[string](unknown)
	keep(err)

	plans := with("plans", 10, 3*c.options.PlansEvery)
	plans.Refresh = true
	c.catalog, err = cache.New[*catalog](plans)
	keep(err)

	products := with("products", 1000, productTTL)
	products.Negative = unknownTTL
	c.products, err = cache.New[*offer](products)
	keep(err)

	meter := with("meter", 10, meterTTL)
	meter.Refresh, meter.Negative = true, unknownTTL
	c.meter, err = cache.New[string](meter)
	keep(err)
	return errors.Join(errs...)
}
