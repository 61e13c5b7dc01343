package billing

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/billing/meter"
	"github.com/stripe/stripe-go/v76/billing/meterevent"
	"github.com/stripe/stripe-go/v76/billing/metereventsummary"
	portal "github.com/stripe/stripe-go/v76/billingportal/session"
	checkout "github.com/stripe/stripe-go/v76/checkout/session"
	"github.com/stripe/stripe-go/v76/customer"
	"github.com/stripe/stripe-go/v76/event"
	"github.com/stripe/stripe-go/v76/price"
	"github.com/stripe/stripe-go/v76/product"
	"github.com/stripe/stripe-go/v76/subscription"

	"drydock.dev/drydock/transport"
)

// stripeAPI is the SDK, bound to one key and to our transport; nothing of it is
// global. Every params needs its context.
type stripeAPI struct {
	customers customer.Client
	products  product.Client
	prices    price.Client
	meters    meter.Client
	events    meterevent.Client
	summaries metereventsummary.Client
	changes   event.Client

	subscriptions subscription.Client
	sessions      checkout.Client
	portals       portal.Client

	connection *http.Transport
	limiter    *transport.Limiter
	// breaker is open while Stripe is taken to be down; opened gets a token when it opens.
	breaker *transport.Breaker
	opened  chan struct{}
}

func newStripeAPI(options Options) (*stripeAPI, error) {
	metrics, err := transport.NewMetrics(options.Registerer)
	if err != nil {
		return nil, err
	}
	api := &stripeAPI{opened: make(chan struct{}, 1), limiter: transport.NewLimiter(transport.LimiterOptions{
		Buckets: options.Limits.buckets, Concurrency: options.Limits.Concurrency,
	})}
	api.breaker = transport.NewBreaker(transport.BreakerOptions{
		Upstream: "stripe", Metrics: metrics,
		Changed: func(open bool) {
			if !open {
				options.Log.Info("stripe answers again")
				return
			}
			options.Log.Warn("stripe is down: nothing is sent but probes until it answers")
			api.limiter.Refuse(transport.ErrOpen)
			select {
			case api.opened <- struct{}{}:
			default:
			}
		},
	})
	base := options.HTTP
	if base == nil {
		api.connection = http.DefaultTransport.(*http.Transport).Clone()
		api.connection.MaxIdleConnsPerHost = 32
		base = api.connection
	}
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(options.APIBase),
		HTTPClient: &http.Client{Transport: transport.Stack(base, transport.Options{
			Upstream: "stripe", Operation: operation, Timeout: options.Timeout, Buffer: true, Valid: json.Valid,
			Retry: options.Retry, Limiter: api.limiter, Breaker: api.breaker, Metrics: metrics,
		})},
		// Our transport retries and counts; what fails is logged by whoever asked.
		MaxNetworkRetries: stripe.Int64(0),
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
		EnableTelemetry:   stripe.Bool(false),
	})
	api.customers = customer.Client{B: backend, Key: options.Key}
	api.products = product.Client{B: backend, Key: options.Key}
	api.prices = price.Client{B: backend, Key: options.Key}
	api.meters = meter.Client{B: backend, Key: options.Key}
	api.events = meterevent.Client{B: backend, Key: options.Key}
	api.summaries = metereventsummary.Client{B: backend, Key: options.Key}
	api.changes = event.Client{B: backend, Key: options.Key}
	api.subscriptions = subscription.Client{B: backend, Key: options.Key}
	api.sessions = checkout.Client{B: backend, Key: options.Key}
	api.portals = portal.Client{B: backend, Key: options.Key}
	return api, nil
}

func (a *stripeAPI) close() {
	if a.connection != nil {
		a.connection.CloseIdleConnections()
	}
}

// collections are the paths' words that an id follows.
var collections = []string{"customers", "products", "prices", "meters", "subscriptions", "sessions"}

// operation is a request's method and path template, for the metrics.
func operation(r *http.Request) string {
	words := strings.Split(r.URL.Path, "/")
	for i := 1; i < len(words); i++ {
		if slices.Contains(collections, words[i-1]) && words[i] != "search" {
			words[i] = "{id}"
		}
	}
	return r.Method + " " + strings.Join(words, "/")
}
