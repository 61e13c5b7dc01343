package billing

import (
	"errors"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/cache"
	"drydock.dev/drydock/fault"
)

// How long answers of Stripe's hold. They are dropped when Stripe, or another replica,
// tells that they changed; these times bound what nobody tells.
const (
	accountTTL = 6 * time.Hour
	usageTTL   = 2 * time.Hour
	productTTL = 6 * time.Hour
	// plansTTL and meterTTL are looked at behind the requests.
	plansTTL = 6 * time.Hour
	meterTTL = 6 * time.Hour
	// unknownTTL is how long a login that nobody has costs no request.
	unknownTTL = 30 * time.Second
	// absentTTL is the same for products and meters, which operators set up.
	absentTTL = 5 * time.Second
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
		Now:        c.options.Now, Metrics: metrics, Stale: outage, Patience: c.options.Patience,
	}
	var errs []error
	keep := func(err error) { errs = append(errs, err) }
	with := func(name string, capacity int64, ttl time.Duration) cache.Options {
		options := base
		options.Name, options.Capacity, options.TTL = name, capacity, ttl
		return options
	}

	accounts := with("accounts", 50_000, accountTTL)
	accounts.Renewed = c.watchers.wakeCustomer
	c.accounts, err = cache.New[*record](accounts)
	keep(err)
	usage := with("usage", 50_000, usageTTL)
	usage.Renewed = func(key string) {
		id, _, _ := strings.Cut(key, "\x00")
		c.watchers.wakeCustomer(id)
	}
	c.usage, err = cache.New[*usageRecord](usage)
	keep(err)

	unknown := with("unknown_logins", 10_000, 0)
	unknown.Stale, unknown.Negative = 0, unknownTTL
	c.unknown, err = cache.New[string](unknown)
	keep(err)

	plans := with("plans", 10, plansTTL)
	plans.Refresh, plans.Renewed = true, func(string) { c.watchers.wakeAll() }
	c.catalog, err = cache.New[*catalog](plans)
	keep(err)
	// The catalog's parts live half as long: a catalog is never of parts older than that, nor
	// older itself than the two times together.
	c.offered, err = cache.New[[]*stripe.Product](with("offered_products", 10, plansTTL/2))
	keep(err)
	c.prices, err = cache.New[[]*stripe.Price](with("offered_prices", 10, plansTTL/2))
	keep(err)

	products := with("products", 1000, productTTL)
	products.Negative, products.Renewed = absentTTL, plans.Renewed
	c.products, err = cache.New[*offer](products)
	keep(err)

	meter := with("meter", 10, meterTTL)
	meter.Refresh, meter.Negative = true, absentTTL
	c.meter, err = cache.New[string](meter)
	keep(err)
	return errors.Join(errs...)
}
