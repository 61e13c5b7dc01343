package billing

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/cache"
	"drydock.dev/drydock/transport"
)

// eventName is the meter's: build seconds, summed up.
const eventName = "drydock_build_seconds"

// Options says which Stripe account to keep things in, and how.
type Options struct {
	// Key is a secret or restricted API key: sk_... or rk_...
	Key string
	// APIBase is Stripe's own where empty.
	APIBase string
	// HTTP makes the requests below our layers; a transport of its own where nil.
	HTTP       http.RoundTripper
	Log        *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time

	// Timeout bounds each try of a request; 5 seconds where 0.
	Timeout time.Duration
	// Retry is four tries with pauses up to 4 seconds, all begun within 8, where zero.
	Retry transport.Retry
	// Patience is how long a read waits for Stripe while an old answer is at hand; then it
	// gets that, and the request goes on. 300 milliseconds where 0.
	Patience time.Duration
	// Limits are Stripe's rate limits.
	Limits Limits

	// Announce tells the other replicas what this one changed or learned of; they Hear
	// it. Where nil there are no others.
	Announce func(ctx context.Context, notices []string) error
	// WebhookSecrets are the signing secrets of the webhook endpoint, whsec_...: one, or
	// two while they are rotated.
	WebhookSecrets []string
	// CatchUpEvery is how often the list of Stripe's events is read for what no webhook
	// told; 2 minutes where 0.
	CatchUpEvery time.Duration
	// Grace is how long builds go on after a payment failed; 7 days where 0.
	Grace time.Duration
}

// Client is the one door to Stripe. It is safe for concurrent use; Close ends it.
type Client struct {
	options   Options
	stripe    *stripeAPI
	directory *directory

	// accounts are keyed by customer id, usage by customer id and period, as events name
	// them; unknown remembers logins that nobody has. The catalog is made of what is offered
	// and of prices; products are plans that are no longer on offer.
	accounts *cache.Cache[*record]
	usage    *cache.Cache[*usageRecord]
	unknown  *cache.Cache[string]
	catalog  *cache.Cache[*catalog]
	offered  *cache.Cache[[]*stripe.Product]
	prices   *cache.Cache[[]*stripe.Price]
	products *cache.Cache[*offer]
	meter    *cache.Cache[string]

	// missed is the accounts' mark as of when notices were missed last: what was read before
	// it proves nothing.
	missed atomic.Uint64

	metrics  *metrics
	watchers watchers
	billed   billed
	seen     seen
	caught   catchUp
	problems problems
	changes  changes

	life context.Context
	end  context.CancelFunc
	// beginning orders what begins before the end of life.
	beginning sync.Mutex
	running   sync.WaitGroup
}

// New makes a client; it asks Stripe nothing before Start or the first use.
func New(options Options) (*Client, error) {
	if options.Key == "" {
		return nil, errors.New("billing: the Stripe key is missing")
	}
	if err := options.complete(); err != nil {
		return nil, err
	}
	api, err := newStripeAPI(options)
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	c := &Client{options: options, stripe: api, life: life, end: end, billed: billed{began: options.Now()}}
	if c.metrics, err = newMetrics(options.Registerer); err != nil {
		end()
		return nil, err
	}
	c.directory = newDirectory(c.metrics, c.warn)
	if err := c.makeCaches(); err != nil {
		end()
		return nil, err
	}
	return c, nil
}

func (o *Options) complete() error {
	if o.APIBase == "" {
		o.APIBase = "https://api.stripe.com"
	}
	base, err := url.Parse(o.APIBase)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return errors.New("billing: the Stripe API base must be a URL such as https://api.stripe.com")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = 300 * time.Millisecond
	}
	if o.Retry == (transport.Retry{}) {
		o.Retry = transport.Retry{Attempts: 4, Wait: 250 * time.Millisecond, MaxWait: 4 * time.Second, Within: 8 * time.Second}
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	if o.CatchUpEvery == 0 {
		o.CatchUpEvery = 2 * time.Minute
	}
	return o.Limits.complete(o.Key)
}

// Start reads what requests should not wait for: the meter and the plans. It tries until
// they are there or ctx ends; Ready tells what is missing meanwhile. Behind the requests
// it then fills the directory of all accounts, and keeps up with Stripe's events until
// Close.
//
// Stripe: GET /v1/events, GET /v1/billing/meters, GET /v1/products, GET /v1/prices; behind
// the requests GET /v1/customers for each hundred customers, and GET /v1/events.
func (c *Client) Start(ctx context.Context) error {
	// As long as this runs it is what finds out when Stripe answers again.
	ctx, cancel := context.WithCancel(background(ctx))
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"events", c.beginEvents},
		{"plans", c.beginPlans},
	}
	for _, step := range steps {
		for pause := time.Second; ; pause = min(2*pause, 5*time.Second) {
			err := step.run(ctx)
			if err == nil {
				break
			}
			c.options.Log.Warn("stripe is not ready", "missing", step.name, "error", err, "again", pause)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
		}
	}
	c.begin(c.fillDirectory)
	c.begin(c.keepUp)
	return nil
}

// begin runs something behind the requests, which ends with life; not after Close.
func (c *Client) begin(run func()) {
	c.beginning.Lock()
	defer c.beginning.Unlock()
	if c.life.Err() == nil {
		c.running.Go(run)
	}
}

// Ready tells what is still missing; nil when nothing is.
func (c *Client) Ready() error {
	var missing []error
	if plans, ok := c.catalog.Peek(catalogKey); !ok {
		missing = append(missing, errors.New("the plans are not read yet"))
	} else if plans.standard == nil {
		missing = append(missing, errors.New("no active Stripe product has the metadata drydock.plan=true and drydock.default=true"))
	}
	if _, ok := c.meter.Peek(eventName); !ok {
		missing = append(missing, errors.New("no active Stripe billing meter has the event name "+eventName))
	}
	return errors.Join(missing...)
}

// Details tells what is known, for the readiness page: accounts, plans, and what an
// operator should set right in Stripe.
func (c *Client) Details() map[string]any {
	accounts, complete := c.directory.size()
	details := map[string]any{"accounts": accounts, "directoryComplete": complete,
		"problems": append(c.problems.list(), c.directory.twins()...)}
	names := []string{}
	if plans, ok := c.catalog.Peek(catalogKey); ok {
		for _, plan := range plans.all {
			names = append(names, plan.Name)
		}
	}
	details["plans"] = names
	return details
}

// Close ends what runs behind the requests, and waits for it.
func (c *Client) Close() {
	c.beginning.Lock()
	c.end()
	c.beginning.Unlock()
	c.running.Wait()
	c.accounts.Close()
	c.usage.Close()
	c.unknown.Close()
	c.catalog.Close()
	c.offered.Close()
	c.prices.Close()
	c.products.Close()
	c.meter.Close()
	c.stripe.close()
}
