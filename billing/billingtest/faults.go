package billingtest

import (
	"net/http"
	"time"
)

// Fault is a misbehaviour, for the next requests that match.
type Fault struct {
	// Match is a method and path template, such as "POST /v1/customers"; empty: any.
	Match string `json:"match"`
	// Times is how many requests it meets; 0 means one, below 0 all until ClearFaults.
	Times int `json:"times"`
	// Latency passes before the request is looked at; in JSON it is nanoseconds.
	Latency time.Duration `json:"latency"`
	// Status answers with this status, in Stripe's shape, and nothing is done; with
	// AfterEffect it is done, and the answer still tells the failure.
	Status      int  `json:"status"`
	AfterEffect bool `json:"afterEffect"`
	// Kept saves the failure with the request's idempotency key, which gives the same
	// failure from then on, as at Stripe when a request fails midway.
	Kept bool `json:"kept"`
	// Code is the error's code, such as lock_timeout.
	Code string `json:"code"`
	// Reason is a 429's Stripe-Rate-Limited-Reason, such as endpoint-concurrency.
	Reason string `json:"reason"`
	// RetryAfter and ShouldRetry, which is true or false, are sent as they are, as
	// Retry-After and Stripe-Should-Retry.
	RetryAfter  string `json:"retryAfter"`
	ShouldRetry string `json:"shouldRetry"`
	// DropBefore and DropAfter end the connection without an answer: nothing was done,
	// or all was done.
	DropBefore bool `json:"dropBefore"`
	DropAfter  bool `json:"dropAfter"`
}

// Inject makes the stand-in misbehave. Faults meet requests in the order they came in.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range faults {
		if fault.Times == 0 {
			fault.Times = 1
		}
		s.faults = append(s.faults, &fault)
	}
}

// ClearFaults ends all misbehaviour.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault takes the fault that a request meets; the caller holds the lock.
func (s *Server) fault(template string) *Fault {
	for _, fault := range s.faults {
		if fault.Times == 0 || fault.Match != "" && fault.Match != template {
			continue
		}
		if fault.Times > 0 {
			fault.Times--
		}
		return fault
	}
	return nil
}

// before misbehaves ahead of the effect; false where the request ends there.
func (f *Fault) before(w http.ResponseWriter, r *http.Request) bool {
	if f == nil || !f.DropBefore && (f.Status == 0 || f.AfterEffect || f.Kept) {
		return true
	}
	f.pause(r)
	if f.DropBefore {
		panic(http.ErrAbortHandler)
	}
	f.refuse(w)
	return false
}

// pause lets the latency pass; it ends with the connection.
func (f *Fault) pause(r *http.Request) {
	if f == nil || f.Latency == 0 {
		return
	}
	timer := time.NewTimer(f.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// after misbehaves behind the effect; false where the request ends there.
func (f *Fault) after(w http.ResponseWriter) bool {
	if f == nil {
		return true
	}
	if f.DropAfter {
		panic(http.ErrAbortHandler)
	}
	if f.Status != 0 && !f.Kept {
		f.refuse(w)
		return false
	}
	return true
}

// refuse answers with the failure.
func (f *Fault) refuse(w http.ResponseWriter) {
	answer := refusal(f.failure())
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body)
}

func (f *Fault) failure() *apiError {
	e := &apiError{status: f.Status, kind: "api_error", code: f.Code, message: "An error occurred with our connection to Stripe."}
	switch {
	case f.Status == http.StatusTooManyRequests && f.Code == "":
		e = limited(f.Reason)
	case f.Code == "lock_timeout":
		e.kind, e.message = "invalid_request_error", "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request."
	case f.Status < http.StatusInternalServerError:
		e.kind = "invalid_request_error"
	}
	if e.header == nil {
		e.header = http.Header{}
	}
	for name, value := range map[string]string{"Retry-After": f.RetryAfter, "Stripe-Should-Retry": f.ShouldRetry} {
		if value != "" {
			e.header.Set(name, value)
		}
	}
	return e
}
