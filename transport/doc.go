// Package transport holds the layers of every upstream call, each an
// http.RoundTripper around the next: retries (Retried), the breaker's refusal (Guarded),
// the wait for a turn (Limited), the breaker's record (Tripping), counts and durations
// (Observed), whole bodies (Buffered), and a deadline for each try (Bounded). Stack puts
// them in that order; a client that does its own retrying wraps itself in Observed alone.
//
// WithPriority says who waits for the calls below a context. A Limiter lets what a person
// waits for go first; of a Breaker that is open, what nobody waits for is the probe.
package transport
