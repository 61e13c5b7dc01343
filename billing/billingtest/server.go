package billingtest

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options says how the stand-in behaves; every field may be left out.
type Options struct {
	// StateFile keeps the state over restarts; empty: in memory alone.
	StateFile string
	// Key is the secret key that is let in; empty: any that begins with sk_test_.
	Key string
	Now func() time.Time
	Log *slog.Logger
	// SearchLag is how long Search does not see a write. Stripe's is below a minute.
	SearchLag time.Duration
	// MeterLag is how long the sums of a meter do not show an event: Stripe counts
	// asynchronously.
	MeterLag time.Duration
	// Limits are the rate limits that hold; LimitsNow is their clock, time.Now where nil.
	Limits    Limits
	LimitsNow func() time.Time
	// Webhooks are sent every event; AddWebhook adds more.
	Webhooks []Webhook
	// Unseeded leaves an empty state empty; else it gets the meter and the plans Free,
	// Team and Scale.
	Unseeded bool
}

// Server is the stand-in: an http.Handler for the paths under /v1, and for its own
// controls under /_drydock. Close it.
type Server struct {
	options  Options
	routes   *http.ServeMux
	webhooks *outbox

	mu          sync.Mutex
	state       *state
	searchable  *collection
	indexing    []indexed
	meterEvents map[string][]object
	inFlight    map[string]bool
	requests    map[string]int
	faults      []*Fault
	limits      *limits
	dirty       bool

	stop  chan struct{}
	close sync.Once
	done  sync.WaitGroup
}

// New makes a stand-in, with the state of its file where there is one.
func New(options Options) (*Server, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.LimitsNow == nil {
		options.LimitsNow = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	held, err := load(options.StateFile)
	if err != nil {
		return nil, err
	}
	s := &Server{
		options: options, state: held, searchable: &collection{}, inFlight: map[string]bool{},
		requests: map[string]int{}, limits: newLimits(options.Limits), stop: make(chan struct{}),
	}
	for _, customer := range held.Customers.Items {
		s.searchable.put(text(customer, "id"), clone(customer))
	}
	s.routes = s.mux()
	s.webhooks = newOutbox(options, s.deliveredEvent)
	if len(held.Products.Items) == 0 && !options.Unseeded {
		if err := s.seed(); err != nil {
			return nil, err
		}
	}
	s.done.Go(s.watchClock)
	if options.StateFile != "" {
		s.done.Go(s.keep)
	}
	return s, nil
}

// Close ends what runs beside the requests and writes the state to its file.
func (s *Server) Close() error {
	s.close.Do(func() { close(s.stop) })
	s.done.Wait()
	s.webhooks.close()
	return s.flush()
}

// keep writes the state every second in which it changed.
func (s *Server) keep() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
			if err := s.flush(); err != nil {
				s.options.Log.Error("the state could not be written", "file", s.options.StateFile, "error", err)
			}
		}
	}
}

func (s *Server) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dirty || s.options.StateFile == "" {
		return nil
	}
	s.forget(s.options.Now())
	if err := s.state.save(s.options.StateFile); err != nil {
		return err
	}
	s.dirty = false
	return nil
}

// Requests counts the requests so far by method and path template, such as
// "GET /v1/customers/{id}", those that failed included.
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}

// ResetRequests begins counting anew.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.requests)
}

// MeterSum is what the meter drydock_build_seconds holds of a customer for events in
// [from, to), by the second, those that lag included.
func (s *Server) MeterSum(customerID string, from, to time.Time) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, meter := range s.state.Meters.Items {
		if text(meter, "event_name") == eventName {
			return int64(s.sum(meter, customerID, from.Unix(), to.Unix(), s.options.Now()))
		}
	}
	return 0
}

// Customers is how many customers have the login in their metadata, deleted ones left
// out, and their ids, oldest first.
func (s *Server) Customers(login string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, customer := range s.state.Customers.Items {
		if customer["deleted"] != true && text(within(customer, "metadata"), "drydock.login") == login {
			ids = append(ids, text(customer, "id"))
		}
	}
	return ids
}

// SetSubscriptionStatus does what only payments do at Stripe: past_due, unpaid, paused,
// incomplete. False for an unknown subscription.
func (s *Server) SetSubscriptionStatus(id, status string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	subscription, ok := s.state.Subscriptions.get(id)
	if ok {
		now := s.options.Now()
		(&call{server: s, at: now, now: now.Unix()}).setStatus(subscription, status)
	}
	return ok
}

// ServeHTTP answers a request to Stripe's API, or to the controls.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_drydock/") {
		s.control(w, r)
		return
	}
	if isPage(r.URL.Path) {
		s.page(w, r)
		return
	}
	_, template := s.routes.Handler(r)
	if template == "" {
		template = r.Method + " unknown"
	}
	var fault *Fault
	aside := r.Header.Get(Aside) != ""
	if !aside {
		s.mu.Lock()
		s.requests[template]++
		fault = s.fault(template)
		s.mu.Unlock()
	}

	id := newID("req_")
	w.Header().Set("Request-Id", id)
	w.Header().Set("Stripe-Version", version(r))
	w.Header().Set("Content-Type", "application/json")
	if !fault.before(w, r) {
		return
	}
	answer := s.handle(r, &slot{template: template, request: id, aside: aside, fault: fault})
	if !fault.after(w) {
		return
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	s.options.Log.Debug("answered", "request", id, "operation", template, "status", answer.Status)
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body)
}

// defaultVersion is the API version that stripe-go v76 speaks.
const defaultVersion = "2023-10-16"

func version(r *http.Request) string {
	if asked := r.Header.Get("Stripe-Version"); asked != "" {
		return asked
	}
	return defaultVersion
}

// answer is a finished request; exported fields outlive a restart.
type answer struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
	// Request tells requests of one idempotency key apart.
	Request string `json:"request"`
	Created int64  `json:"created"`
	header  http.Header
}

func refusal(err *apiError) *answer {
	body, _ := json.MarshalIndent(err.body(), "", "  ")
	return &answer{Status: err.status, Body: body, header: err.header}
}
