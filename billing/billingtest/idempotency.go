package billingtest

import (
	"net/http"
	"time"
)

// answersKept is how long Stripe remembers an idempotency key, at least
// (https://docs.stripe.com/api/idempotent_requests).
const answersKept = 24 * time.Hour

// begin counts a request against the rate limits and announces its idempotency key;
// it gives the earlier answer to the same request where there is one.
func (s *Server) begin(key, fingerprint string, out *slot) (*answer, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options.Limits != Unlimited && !out.aside {
		if err := s.limits.take(out.template, s.options.LimitsNow()); err != nil {
			return nil, err
		}
	}
	now := s.options.Now()
	if key == "" {
		return nil, nil
	}
	if s.inFlight[key] {
		return nil, &apiError{
			status: http.StatusConflict, kind: "idempotency_error", code: "idempotency_key_in_use",
			message: "There is currently another in-progress request using this Idempotency Key (that probably means you submitted twice, and the other request is still going through): " + key + ". Please try again later.",
			header:  http.Header{"Stripe-Should-Retry": {"true"}},
		}
	}
	earlier, ok := s.state.Answers[key]
	switch {
	case !ok || now.Unix()-earlier.Created > int64(answersKept/time.Second):
		s.inFlight[key] = true
		return nil, nil
	case earlier.Request != fingerprint:
		return nil, &apiError{
			status: http.StatusBadRequest, kind: "idempotency_error",
			message: "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '" + key + "' if you meant to execute a different request.",
		}
	default:
		again := *earlier
		again.header = http.Header{"Idempotency-Key": {key}, "Idempotent-Replayed": {"true"}}
		return &again, nil
	}
}

func (s *Server) finish(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inFlight, key)
}

// forget drops answers that no retry will ask for; the caller holds the lock.
func (s *Server) forget(now time.Time) {
	for key, answer := range s.state.Answers {
		if now.Unix()-answer.Created > int64(answersKept/time.Second) {
			delete(s.state.Answers, key)
		}
	}
}
