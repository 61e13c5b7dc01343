package transport

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// Retry says when a call is made again.
type Retry struct {
	// Attempts bounds the tries in all; below 2: one try.
	Attempts int
	// Wait is the longest first pause, doubled with each further one up to MaxWait; the
	// pause is a random part of that (full jitter). A Retry-After beyond MaxWait ends
	// the retrying: the caller gets the answer.
	Wait, MaxWait time.Duration
	// Within bounds the time from the first try's begin to the last one's, so that tries
	// that run into their deadline are few; 0: no bound.
	Within time.Duration
}

// Retried makes failed calls again where a second time does no harm: safe and
// idempotent methods, and any call with an Idempotency-Key. Broken connections,
// tries that ran into their own deadline, 409 (a lock, or the same key in flight),
// 429, 500, 502, 503 and 504 are tried again; Stripe-Should-Retry overrules the
// status, Retry-After the pause. A failure that Stripe gives again because it saved it with
// the idempotency key (Idempotent-Replayed) is final. The caller's context bounds it all. What was never sent
// (ErrOpen, ErrLimited) is not tried again.
func Retried(next http.RoundTripper, retry Retry) http.RoundTripper {
	if retry.Attempts < 2 {
		return next
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if !repeatable(r) {
			return next.RoundTrip(r)
		}
		start := time.Now()
		for attempt := 1; ; attempt++ {
			try, err := fresh(r, attempt)
			if err != nil {
				return nil, err
			}
			response, err := next.RoundTrip(try)
			if attempt == retry.Attempts || !again(r.Context(), response, err) {
				return response, err
			}
			pause, ok := retry.pause(r.Context(), attempt, response)
			if !ok || retry.Within > 0 && time.Since(start)+pause > retry.Within {
				return response, err
			}
			discard(response)
			timer := time.NewTimer(pause)
			select {
			case <-r.Context().Done():
				timer.Stop()
				return nil, r.Context().Err()
			case <-timer.C:
			}
		}
	})
}

// repeatable tells whether a call may be sent twice (RFC 9110, 9.2.2).
func repeatable(r *http.Request) bool {
	if r.Body != nil && r.Body != http.NoBody && r.GetBody == nil {
		return false
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	default:
		return r.Header.Get("Idempotency-Key") != ""
	}
}

// fresh is the request with a body that was not read yet.
func fresh(r *http.Request, attempt int) (*http.Request, error) {
	if attempt == 1 || r.GetBody == nil {
		return r, nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	again := r.Clone(r.Context())
	again.Body = body
	return again, nil
}

func again(ctx context.Context, response *http.Response, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		return !errors.Is(err, ErrOpen) && !errors.Is(err, ErrLimited)
	}
	if replayed(response) {
		return false
	}
	switch response.Header.Get("Stripe-Should-Retry") {
	case "true":
		return true
	case "false":
		return false
	}
	switch response.StatusCode {
	case http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// replayed tells whether a response is an earlier one, saved with the idempotency key
// (https://docs.stripe.com/api/idempotent_requests): it says nothing about now.
func replayed(response *http.Response) bool {
	return response.Header.Get("Idempotent-Replayed") == "true"
}

// pause is how long to wait before the next try; not ok where the upstream asks for
// more than the policy or the caller's deadline allows.
func (p Retry) pause(ctx context.Context, attempt int, response *http.Response) (time.Duration, bool) {
	limit := min(p.Wait<<(attempt-1), p.MaxWait)
	pause := time.Duration(rand.Int64N(int64(limit) + 1))
	if asked, ok := RetryAfter(response); ok {
		if asked > p.MaxWait {
			return 0, false
		}
		pause = max(pause, asked)
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < pause {
		return 0, false
	}
	return pause, true
}

// maxRetryAfter is a year, in seconds: more does not fit a time.Duration for ever.
const maxRetryAfter = 365 * 24 * 60 * 60

// RetryAfter reads Retry-After, in seconds or as a date (RFC 9110, 10.2.3); not ok where
// there is none. The response may be nil.
func RetryAfter(response *http.Response) (time.Duration, bool) {
	if response == nil {
		return 0, false
	}
	text := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, maxRetryAfter)) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}

// discard lets the connection be used again.
func discard(response *http.Response) {
	if response == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	_ = response.Body.Close()
}
