package billingtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"drydock.dev/drydock/billing/billingtest/form"
)

// call is one request within the lock.
type call struct {
	server *Server
	params *params
	// id is the path's.
	id  string
	at  time.Time
	now int64
	// request and key, the idempotency key, show in the events that a request makes;
	// what time brings about has none.
	request, key string
	// origin is where the stand-in was reached: its pages are there too.
	origin string
}

type endpoint func(*call) (object, *apiError)

// mux knows every endpoint by its template. Customers are searched before one is read
// by id: the more specific pattern wins.
func (s *Server) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for template, handle := range map[string]endpoint{
		"POST /v1/customers":        (*call).createCustomer,
		"GET /v1/customers":         (*call).listCustomers,
		"GET /v1/customers/search":  (*call).searchCustomers,
		"GET /v1/customers/{id}":    (*call).getCustomer,
		"POST /v1/customers/{id}":   (*call).updateCustomer,
		"DELETE /v1/customers/{id}": (*call).deleteCustomer,

		"POST /v1/products":      (*call).createProduct,
		"GET /v1/products":       (*call).listProducts,
		"GET /v1/products/{id}":  (*call).getProduct,
		"POST /v1/products/{id}": (*call).updateProduct,

		"POST /v1/prices":      (*call).createPrice,
		"GET /v1/prices":       (*call).listPrices,
		"GET /v1/prices/{id}":  (*call).getPrice,
		"POST /v1/prices/{id}": (*call).updatePrice,

		"POST /v1/subscriptions":        (*call).createSubscription,
		"GET /v1/subscriptions":         (*call).listSubscriptions,
		"GET /v1/subscriptions/{id}":    (*call).getSubscription,
		"POST /v1/subscriptions/{id}":   (*call).updateSubscription,
		"DELETE /v1/subscriptions/{id}": (*call).cancelSubscription,

		"POST /v1/billing/meters":                     (*call).createMeter,
		"GET /v1/billing/meters":                      (*call).listMeters,
		"GET /v1/billing/meters/{id}":                 (*call).getMeter,
		"POST /v1/billing/meters/{id}/deactivate":     (*call).deactivateMeter,
		"POST /v1/billing/meters/{id}/reactivate":     (*call).reactivateMeter,
		"GET /v1/billing/meters/{id}/event_summaries": (*call).listMeterEventSummaries,
		"POST /v1/billing/meter_events":               (*call).createMeterEvent,

		"POST /v1/checkout/sessions":             (*call).createCheckoutSession,
		"GET /v1/checkout/sessions":              (*call).listCheckoutSessions,
		"GET /v1/checkout/sessions/{id}":         (*call).getCheckoutSession,
		"POST /v1/checkout/sessions/{id}/expire": (*call).expireCheckoutSession,
		"POST /v1/billing_portal/sessions":       (*call).createPortalSession,

		"GET /v1/events":      (*call).listEvents,
		"GET /v1/events/{id}": (*call).getEvent,
	} {
		mux.Handle(template, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			out := w.(*slot)
			out.answer = s.run(r, out, handle)
		}))
	}
	return mux
}

// slot carries what is known of a request into the mux, which also finds the path's id,
// and an answer out.
type slot struct {
	http.ResponseWriter
	template, request string
	aside             bool
	fault             *Fault
	answer            *answer
}

// handle answers a request by its route.
func (s *Server) handle(r *http.Request, out *slot) *answer {
	if err := s.authorize(r); err != nil {
		return refusal(err)
	}
	if strings.HasSuffix(out.template, " unknown") {
		err := invalid("", "", "Unrecognized request URL (%s: %s). Please see https://stripe.com/docs.", r.Method, r.URL.Path)
		err.status = http.StatusNotFound
		return refusal(err)
	}
	s.routes.ServeHTTP(out, r)
	return out.answer
}

// authorize wants a secret key as bearer or as the user of basic authentication.
func (s *Server) authorize(r *http.Request) *apiError {
	key, _, basic := r.BasicAuth()
	if !basic {
		key = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	switch {
	case key == "":
		return unauthorized("You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').")
	case s.options.Key != "" && key != s.options.Key, !strings.HasPrefix(key, "sk_test_"):
		return unauthorized("Invalid API Key provided: " + key[:min(8, len(key))] + "****")
	default:
		return nil
	}
}

// run answers a request within its idempotency key, where it has one. A slow request
// holds its key all along.
func (s *Server) run(r *http.Request, out *slot, handle endpoint) *answer {
	values, err := s.read(r)
	if err != nil {
		return refusal(err)
	}
	key, fingerprint := "", r.URL.Path+"?"+values.Encode()
	if r.Method == http.MethodPost {
		key = r.Header.Get("Idempotency-Key")
	}
	if earlier, err := s.begin(key, fingerprint, out); err != nil {
		return refusal(err)
	} else if earlier != nil {
		return earlier
	}
	defer s.finish(key)
	out.fault.pause(r)

	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	c := &call{
		server: s, params: newParams(form.Parse(values)), id: r.PathValue("id"), at: now, now: now.Unix(),
		request: out.request, key: key, origin: origin(r),
	}
	done, ran := c.carryOut(handle, out.fault)
	if !ran {
		return done
	}
	done.Request, done.Created = fingerprint, c.now
	if r.Method != http.MethodGet {
		s.dirty = true
	}
	if key != "" {
		s.state.Answers[key] = done
		done.header.Set("Idempotency-Key", key)
	}
	return done
}

// carryOut gives an endpoint's answer, or has it fail midway; false where it refuses
// before it begins, which no idempotency key remembers.
func (c *call) carryOut(handle endpoint, fault *Fault) (*answer, bool) {
	midway := fault != nil && fault.Kept
	done := &answer{Status: http.StatusOK, header: http.Header{}}
	if !midway || fault.AfterEffect {
		result, failure := handle(c)
		if failure != nil {
			return refusal(failure), false
		}
		done.Body, _ = json.MarshalIndent(result, "", "  ")
	}
	if midway {
		done = refusal(fault.failure())
	}
	return done, true
}

// read gives the form of the query and of the body.
func (s *Server) read(r *http.Request) (url.Values, *apiError) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil, invalid("", "", "The request's body could not be read.")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, invalid("", "", "The request's body is not a form.")
	}
	for name, more := range r.URL.Query() {
		values[name] = append(values[name], more...)
	}
	return values, nil
}
