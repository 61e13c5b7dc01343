package transport

import (
	"slices"
	"time"
)

// dispatch lets every call go that may, and sets the timer for the next one. The caller
// holds the lock.
func (l *Limiter) dispatch(now time.Time) {
	for _, b := range l.buckets {
		b.fill(now)
	}
	for {
		interactive, next := l.first(now, Interactive)
		background, later := l.first(now, Background)
		switch {
		case background != nil && (interactive == nil || l.since >= backgroundTurn):
			l.grant(background, Background)
			l.since = 0
		case interactive != nil:
			l.grant(interactive, Interactive)
			l.since++
		default:
			l.timer.Stop()
			if wait := min(next, later); wait < never {
				l.timer.Reset(wait)
			}
			return
		}
	}
}

// never is longer than any wait.
const never = 24 * time.Hour

// first is the lane of the priority's oldest call that may go now; without one, it tells
// after what time to look again.
func (l *Limiter) first(now time.Time, priority Priority) (found *lane, again time.Duration) {
	again = never
	if !l.room(priority) {
		return nil, again
	}
	for _, lane := range l.lanes {
		if len(lane.waiting[priority]) == 0 {
			continue
		}
		if wait := lane.wait(now, 1); wait > 0 {
			again = min(again, wait)
			continue
		}
		if found == nil || lane.waiting[priority][0].arrival < found.waiting[priority][0].arrival {
			found = lane
		}
	}
	return found, again
}

// room tells whether one more call of the priority may be under way.
func (l *Limiter) room(priority Priority) bool {
	most := l.options.Concurrency
	if most == 0 {
		return true
	}
	if priority == Background && l.underWay[Background] >= max(1, most/2) {
		return false
	}
	return l.underWay[Interactive]+l.underWay[Background] < most
}

func (l *Limiter) grant(lane *lane, priority Priority) {
	c := lane.waiting[priority][0]
	lane.remove(priority, c)
	for _, b := range lane.buckets {
		b.tokens--
	}
	l.underWay[priority]++
	c.turn <- nil
}

// wait is how long until every bucket has its n-th token from here.
func (l *lane) wait(now time.Time, n int) time.Duration {
	var wait time.Duration
	for _, b := range l.buckets {
		wait = max(wait, b.wait(now, n))
	}
	return wait
}

// estimate is the least that a call which comes now will wait, going by those of its
// lane. Calls of others do not count: what holds those back may be limits of their own.
func (l *lane) estimate(now time.Time, priority Priority) time.Duration {
	for _, b := range l.buckets {
		b.fill(now)
	}
	before := len(l.waiting[Interactive])
	if priority == Background {
		before += len(l.waiting[Background])
	}
	return l.wait(now, before+1)
}

// remove takes a call out; false where it does not wait any more.
func (l *lane) remove(priority Priority, c *call) bool {
	i := slices.Index(l.waiting[priority], c)
	if i < 0 {
		return false
	}
	l.waiting[priority] = slices.Delete(l.waiting[priority], i, i+1)
	return true
}
