// Package transport holds the layers of every upstream call, each an
// http.RoundTripper around the next: retries (Retried), rate (Limited), counts and
// durations (Observed), whole bodies (Buffered), and a deadline for each try
// (Bounded). Stack puts them in that order; a client that does its own retrying wraps itself in Observed alone.
package transport
