package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"drydock.dev/drydock/billing/billingtest"
)

// Stripe is the stand-in on a socket, and every request that was made to it.
type Stripe struct {
	URL, Key string

	stand    *billingtest.Server
	mu       sync.Mutex
	requests []StripeRequest
	hold     chan struct{} // closed when requests may pass; nil is open
	held     int
}

// StripeRequest is one request and how it was answered.
type StripeRequest struct {
	Method, Path string
	// Form is the body's.
	Form   url.Values
	Status int
	// Replayed tells that the answer was one given before, to the same idempotency key.
	Replayed bool
}

func (s *Stack) newStripe(ctx context.Context) (*Stripe, error) {
	const key = "sk_test_e2e"
	stand, err := billingtest.New(billingtest.Options{Key: key})
	if err != nil {
		return nil, err
	}
	s.onClose(func(context.Context) error { return stand.Close() })
	stripe := &Stripe{Key: key, stand: stand}
	address, err := s.serve(ctx, stripe)
	stripe.URL = "http://" + address
	return stripe, err
}

// ServeHTTP hands a request to the stand-in and notes it.
func (s *Stripe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Header.Get(billingtest.Aside) == "" {
		s.wait(r.Context())
	}
	note := StripeRequest{Method: r.Method, Path: r.URL.Path, Status: http.StatusOK}
	note.Form, _ = url.ParseQuery(string(body)) // the stand-in tells the client when it is not a form
	seen := &statusWriter{ResponseWriter: w, status: &note.Status}
	s.stand.ServeHTTP(seen, r)
	if r.Header.Get(billingtest.Aside) != "" {
		return
	}
	note.Replayed = w.Header().Get("Idempotent-Replayed") == "true"
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, note)
}

type statusWriter struct {
	http.ResponseWriter
	status *int
}

func (w *statusWriter) WriteHeader(status int) {
	*w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hold makes Drydock's requests wait until release is called.
func (s *Stripe) Hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hold := make(chan struct{})
	s.hold = hold
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hold = nil
		close(hold)
	})
}

// Held is how many requests wait.
func (s *Stripe) Held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// wait returns when requests may pass.
func (s *Stripe) wait(ctx context.Context) {
	s.mu.Lock()
	hold := s.hold
	if hold == nil {
		s.mu.Unlock()
		return
	}
	s.held++
	s.mu.Unlock()
	select {
	case <-hold:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held--
}

// Requests are all so far.
func (s *Stripe) Requests() []StripeRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// MeterEvents are the identifiers of the meter events that were taken, in order.
func (s *Stripe) MeterEvents() []string {
	var identifiers []string
	for _, r := range s.Requests() {
		if r.Method == http.MethodPost && r.Path == "/v1/billing/meter_events" && r.Status == http.StatusOK && !r.Replayed {
			identifiers = append(identifiers, r.Form.Get("identifier"))
		}
	}
	return identifiers
}

// Call asks the stand-in as any client of Stripe would: a form in, JSON out.
func (s *Stripe) Call(ctx context.Context, method, path string, form url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	if method == http.MethodGet {
		request.URL.RawQuery = form.Encode()
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(s.Key, "")
	request.Header.Set(billingtest.Aside, "true")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("stripe: %s %s: %s: %s", method, path, response.Status, text)
	}
	return json.Unmarshal(text, into)
}
