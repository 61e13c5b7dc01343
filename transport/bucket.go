package transport

import (
	"math"
	"math/rand/v2"
	"time"
)

// Bucket is one of the limits that a call is under.
type Bucket struct {
	// Name tells buckets apart; calls of one name share it.
	Name string
	// Limit is the rate, in calls a second, above which the upstream refuses.
	Limit float64
	// Reason is how the upstream's Stripe-Rate-Limited-Reason begins when it means this
	// limit, such as "global"; empty: it never does.
	Reason string
}

// The parts of a limit that are used: in no second do more calls of one process go out
// than its flow and one burst. Together the processes use the whole of the limit, until
// they are so many that a share of the burst is less than one call, which each of them has
// all the same. Calls that they all make at once then exceed it: see Limiter.Spread.
const (
	flow  = 0.9
	burst = 0.1
)

// bucket is a token bucket of one process's share.
type bucket struct {
	Bucket
	// rate is in tokens a second; the bucket holds capacity tokens.
	rate, capacity float64
	tokens         float64
	filled         time.Time
	// until is the end of a pause that the upstream asked for.
	until time.Time
}

func newBucket(limit Bucket, replicas int, now time.Time) *bucket {
	b := &bucket{Bucket: limit, filled: now}
	b.share(replicas)
	b.tokens = b.capacity
	if replicas > 1 {
		b.tokens *= rand.Float64() // replicas that begin at once are out of step
	}
	return b
}

// share makes the bucket one of so many equal ones.
func (b *bucket) share(replicas int) {
	was := b.capacity
	b.rate = flow * b.Limit / float64(replicas)
	b.capacity = max(1, burst*b.Limit/float64(replicas))
	if b.capacity < was {
		b.tokens = min(b.tokens, b.capacity) * rand.Float64()
	}
}

// spread is how long so many replicas take for a call each, where that is no burst.
func (b *bucket) spread(replicas int) time.Duration {
	if burst*b.Limit >= float64(replicas) {
		return 0
	}
	return time.Duration(float64(replicas-1) / b.Limit * float64(time.Second))
}

func (b *bucket) fill(now time.Time) {
	b.tokens = min(b.capacity, b.tokens+b.rate*now.Sub(b.filled).Seconds())
	b.filled = now
}

// drain takes the upstream's word that there is nothing left.
func (b *bucket) drain(now time.Time, pause time.Duration) {
	b.fill(now)
	b.tokens = min(b.tokens, 0)
	if until := now.Add(pause); until.After(b.until) {
		b.until = until
	}
}

// wait is how long from now until the n-th token from here is there; the bucket is filled.
func (b *bucket) wait(now time.Time, n int) time.Duration {
	wait := max(0, b.until.Sub(now))
	if lack := float64(n) - b.tokens; lack > 1e-9 {
		// Rounded up, so that the token is there when the time has passed.
		wait = max(wait, time.Duration(math.Ceil(lack/b.rate*float64(time.Second))))
	}
	return wait
}
