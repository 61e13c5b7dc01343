package transport

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// ErrOpen is what a call gets, at once, while its upstream is taken to be down.
var ErrOpen = errors.New("the upstream is down: nothing is sent until it answers a probe")

// BreakerOptions says when an upstream is taken to be down.
type BreakerOptions struct {
	// Upstream is the metric's label.
	Upstream string
	// Failures in a row open the breaker: broken connections, tries that ran into their
	// deadline, and 5xx. 5 where 0. Any other answer is a success.
	Failures uint
	// Pause is how long no probe goes out after a failure; a second where 0.
	Pause time.Duration
	// Alone is how long after that an interactive call serves as the probe where no
	// background call came; 10 seconds where 0.
	Alone time.Duration
	// Changed hears when the breaker opens or closes; it must not block.
	Changed func(open bool)
	Metrics *Metrics
}

// Breaker stops calls to an upstream that is down. After each pause one background call
// may go out as a probe; if it succeeds, all may.
type Breaker struct {
	options BreakerOptions
	circuit circuitbreaker.CircuitBreaker[any]
	// opened is when it opened last, in Unix nanoseconds.
	opened atomic.Int64
}

// NewBreaker makes a closed breaker.
func NewBreaker(options BreakerOptions) *Breaker {
	if options.Failures == 0 {
		options.Failures = 5
	}
	if options.Pause == 0 {
		options.Pause = time.Second
	}
	if options.Alone == 0 {
		options.Alone = 10 * time.Second
	}
	b := &Breaker{options: options}
	b.show(circuitbreaker.ClosedState)
	b.circuit = circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(options.Failures).
		WithSuccessThreshold(1).
		WithDelay(options.Pause).
		OnStateChanged(b.changed).
		Build()
	return b
}

// Open tells whether the upstream is taken to be down.
func (b *Breaker) Open() bool { return !b.circuit.IsClosed() }

func (b *Breaker) changed(event circuitbreaker.StateChangedEvent) {
	if event.NewState == circuitbreaker.OpenState {
		b.opened.Store(time.Now().UnixNano())
	}
	b.show(event.NewState)
	if b.options.Changed == nil {
		return
	}
	switch {
	case event.NewState == circuitbreaker.ClosedState:
		b.options.Changed(false)
	case event.OldState == circuitbreaker.ClosedState:
		b.options.Changed(true)
	}
}

func (b *Breaker) show(state circuitbreaker.State) {
	if b.options.Metrics != nil {
		b.options.Metrics.breaker.WithLabelValues(b.options.Upstream).Set(breakerStates[state])
	}
}

// breakerStates are the metric's values.
var breakerStates = map[circuitbreaker.State]float64{
	circuitbreaker.ClosedState: 0, circuitbreaker.HalfOpenState: 1, circuitbreaker.OpenState: 2,
}

// admits tells whether a call may go out, or wait for its turn to.
func (b *Breaker) admits(ctx context.Context) bool {
	switch b.circuit.State() {
	case circuitbreaker.ClosedState:
		return true
	case circuitbreaker.HalfOpenState:
		return PriorityOf(ctx) == Background
	}
	if b.circuit.RemainingDelay() > 0 {
		return false
	}
	return PriorityOf(ctx) == Background || time.Since(time.Unix(0, b.opened.Load())) >= b.options.Pause+b.options.Alone
}

// Guarded refuses calls, before they wait for anything, while the breaker is open.
func Guarded(next http.RoundTripper, breaker *Breaker) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if !breaker.admits(r.Context()) {
			closeBody(r)
			return nil, ErrOpen
		}
		return next.RoundTrip(r)
	})
}

// Tripping tells the breaker how each call went, and refuses those it does not admit.
func Tripping(next http.RoundTripper, breaker *Breaker) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if !breaker.admits(r.Context()) || !breaker.circuit.TryAcquirePermit() {
			closeBody(r)
			return nil, ErrOpen
		}
		response, err := next.RoundTrip(r)
		switch {
		case err != nil && r.Context().Err() != nil && breaker.circuit.IsClosed():
			// The caller gave up: that says nothing about the upstream.
		case err != nil, response.StatusCode >= http.StatusInternalServerError && !replayed(response):
			breaker.circuit.RecordFailure()
		default:
			breaker.circuit.RecordSuccess()
		}
		return response, err
	})
}
