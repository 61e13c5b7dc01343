package metering_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"drydock.dev/drydock/metering"
)

// TestChaos plays many lives of one minute: reports and their answers are lost, the
// controller dies between any two steps, the meter is away for days, forgets
// identifiers after a day and lags with its sums. In the end it holds each build's
// seconds once.
func TestChaos(t *testing.T) {
	for seed := range uint64(3000) {
		life := newLife(seed)
		life.play()
		if got, want := life.meter.held, metering.Total(life.builds); got != want {
			t.Fatalf("seed %d: the meter holds %d seconds, the builds say %d: %+v", seed, got, want, life.builds)
		}
		for _, build := range life.builds {
			if !build.Billed {
				t.Fatalf("seed %d: build %s was never billed", seed, build.UID)
			}
		}
	}
}

// life is one minute's builds, their controller, and the meter.
type life struct {
	random *rand.Rand
	now    time.Time
	calm   time.Time // from when on nothing goes wrong
	away   time.Time // until when the meter is not reached
	builds []metering.Build
	meter  meter
}

func newLife(seed uint64) *life {
	l := &life{random: rand.New(rand.NewPCG(seed, 1)), now: noon, calm: noon.Add(8 * 24 * time.Hour)}
	l.meter = meter{random: l.random, known: map[string]time.Time{}}
	for n := range 2 + l.random.IntN(5) {
		l.builds = append(l.builds, metering.Build{UID: string(rune('a' + n)), Finished: noon, Seconds: 1 + l.random.Int64N(4)})
	}
	return l
}

// play lets 20 days pass.
func (l *life) play() {
	for end := noon.Add(20 * 24 * time.Hour); l.now.Before(end); l.now = l.now.Add(time.Duration(1+l.random.IntN(90)) * time.Minute) {
		if l.trouble(20) {
			l.away = l.now.Add(time.Duration(l.random.IntN(60)) * time.Hour)
		}
		if l.now.Before(l.away) && l.now.Before(l.calm) {
			continue
		}
		if l.now.Sub(noon) <= metering.SafeFor {
			for i := range l.builds {
				if !l.builds[i].Billed && !l.report(&l.builds[i]) {
					break
				}
			}
			continue
		}
		l.late()
	}
}

// late does what the controller does of builds that may or may not have been counted.
func (l *life) late() {
	metered := l.meter.sum(l.now)
	if l.now.Before(metering.Settled(l.builds)) {
		return
	}
	decision, err := metering.Decide(metered, l.builds)
	if err != nil {
		return
	}
	for _, build := range decision.Counted {
		l.of(build).Billed = true
	}
	for _, build := range decision.Missing {
		l.of(build).Told = l.now
		if l.trouble(10) || !l.report(l.of(build)) {
			return
		}
	}
}

func (l *life) of(build metering.Build) *metering.Build {
	for i := range l.builds {
		if l.builds[i].UID == build.UID {
			return &l.builds[i]
		}
	}
	return nil
}

// report tells the meter; false: the controller died on the way, or did not hear.
func (l *life) report(build *metering.Build) bool {
	if l.trouble(4) {
		return false
	}
	l.meter.take(*build, l.now)
	if l.trouble(3) {
		return false
	}
	build.Billed, build.Told = true, l.now
	return true
}

// trouble happens once in so many times, until the calm.
func (l *life) trouble(once int) bool { return l.now.Before(l.calm) && l.random.IntN(once) == 0 }

// meter is Stripe's, as documented.
type meter struct {
	random *rand.Rand
	known  map[string]time.Time
	held   int64
	shows  []shown
}

type shown struct {
	at      time.Time
	seconds int64
}

// take counts an event, unless its identifier was taken in the past 24 hours, or a few
// more.
func (m *meter) take(build metering.Build, now time.Time) {
	taken, known := m.known[build.UID]
	remembers := 24*time.Hour + time.Duration(m.random.IntN(600))*time.Minute
	if known && now.Sub(taken) < remembers {
		return
	}
	m.known[build.UID] = now
	m.held += build.Seconds
	m.shows = append(m.shows, shown{now.Add(time.Duration(m.random.IntN(59)) * time.Minute), build.Seconds})
}

// sum is what the meter shows: it lags.
func (m *meter) sum(now time.Time) (total int64) {
	for _, event := range m.shows {
		if !event.at.After(now) {
			total += event.seconds
		}
	}
	return total
}
