package transport

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrLimited is what a call gets whose deadline comes before its turn: it fails at once.
var ErrLimited = errors.New("the call would wait for its turn longer than its deadline allows")

// backgroundTurn is after how many interactive calls a background call goes first.
const backgroundTurn = 8

// LimiterOptions says how many calls an upstream takes.
type LimiterOptions struct {
	// Buckets gives the limits that the calls of an operation are under, all at once. It
	// is asked once for each operation, so those must be few.
	Buckets func(operation string) []Bucket
	// Concurrency bounds the calls under way; 0: no bound. Background calls get half of it.
	Concurrency int
}

// Limiter lets calls go out at the rates that an upstream allows: interactive calls
// before background ones, else in the order in which they came. Calls of an operation
// that has to wait let those of others pass.
type Limiter struct {
	options LimiterOptions

	mu       sync.Mutex
	replicas int
	buckets  map[string]*bucket
	lanes    map[string]*lane
	// arrivals numbers the calls; since counts the interactive calls that went since a
	// background one did.
	arrivals, since uint64
	underWay        [2]int
	timer           *time.Timer
}

// lane holds the waiting calls of one operation, which wait for the same buckets.
type lane struct {
	buckets []*bucket
	waiting [2][]*call
}

type call struct {
	arrival uint64
	// turn gets nil when the call may go, or why it will not.
	turn chan error
}

// NewLimiter makes a limiter of one replica, until Share.
func NewLimiter(options LimiterOptions) *Limiter {
	l := &Limiter{options: options, replicas: 1, buckets: map[string]*bucket{}, lanes: map[string]*lane{}}
	l.timer = time.AfterFunc(time.Hour, l.wake)
	l.timer.Stop()
	return l
}

// Share divides the limits by the number of processes that use them; below 1 is 1.
func (l *Limiter) Share(replicas int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	replicas = max(1, replicas)
	if replicas == l.replicas {
		return
	}
	l.replicas = replicas
	now := time.Now()
	for _, b := range l.buckets {
		b.fill(now)
		b.share(replicas)
	}
	l.dispatch(now)
}

// Spread is the time over which replicas that all learn of one change had better spread
// the call of an operation that follows: 0 where the replicas' bursts hold a call each
// without exceeding a limit.
func (l *Limiter) Spread(operation string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var over time.Duration
	for _, b := range l.lane(operation, time.Now()).buckets {
		over = max(over, b.spread(l.replicas))
	}
	return over
}

// Refuse ends the waiting of all calls with an error.
func (l *Limiter) Refuse(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lane := range l.lanes {
		for priority, calls := range lane.waiting {
			for _, c := range calls {
				c.turn <- err
			}
			lane.waiting[priority] = nil
		}
	}
}

// maxPause bounds what an upstream may ask for: a wrong answer of one server must not
// silence all replicas for long.
const maxPause = 30 * time.Second

// Pause keeps the operation's calls back for a while, at most 30 seconds, with all others
// under the limits that the upstream named by its reason.
func (l *Limiter) Pause(operation, reason string, pause time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, b := range l.lane(operation, now).buckets {
		if b.means(reason) {
			b.drain(now, min(pause, maxPause))
		}
	}
	l.dispatch(now)
}

// Wait waits for an operation's turn. Without an error, Done must follow.
func (l *Limiter) Wait(ctx context.Context, operation string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	priority := PriorityOf(ctx)
	l.mu.Lock()
	now := time.Now()
	lane := l.lane(operation, now)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(now.Add(lane.estimate(now, priority))) {
		l.mu.Unlock()
		return ErrLimited
	}
	l.arrivals++
	c := &call{arrival: l.arrivals, turn: make(chan error, 1)}
	lane.waiting[priority] = append(lane.waiting[priority], c)
	l.dispatch(now)
	l.mu.Unlock()

	select {
	case err := <-c.turn:
		return err
	case <-ctx.Done():
		l.abandon(lane, priority, c)
		return ctx.Err()
	}
}

// Done tells that a call of the priority is over.
func (l *Limiter) Done(priority Priority) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underWay[priority]--
	l.dispatch(time.Now())
}

// abandon takes a call back that nobody waits for any more.
func (l *Limiter) abandon(lane *lane, priority Priority, c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lane.remove(priority, c) {
		return
	}
	if err := <-c.turn; err == nil { // its turn came meanwhile
		for _, b := range lane.buckets {
			b.tokens++
		}
		l.underWay[priority]--
		l.dispatch(time.Now())
	}
}

func (l *Limiter) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dispatch(time.Now())
}

// lane is the operation's, made at its first call. The caller holds the lock.
func (l *Limiter) lane(operation string, now time.Time) *lane {
	found, ok := l.lanes[operation]
	if ok {
		return found
	}
	found = &lane{}
	for _, limit := range l.options.Buckets(operation) {
		b, ok := l.buckets[limit.Name]
		if !ok {
			b = newBucket(limit, l.replicas, now)
			l.buckets[limit.Name] = b
		}
		found.buckets = append(found.buckets, b)
	}
	l.lanes[operation] = found
	return found
}
