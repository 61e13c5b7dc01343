package controller

import (
	"fmt"
	"testing"
	"time"
)

// TestPlaces: whose turn it is.
func TestPlaces(t *testing.T) {
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	for _, c := range []struct {
		reason   string
		most     int
		accounts map[string]*share
		asks     string // whose build joined at noon
		want     bool
		woken    string
	}{
		{reason: "no bound, no turns", most: 0, accounts: map[string]*share{"a": {running: 9}, "b": {ready: true}}, asks: "a", want: true},
		{reason: "there is a place", most: 1, asks: "a", want: true},
		{reason: "there is none", most: 2, accounts: map[string]*share{"b": {running: 2}}, asks: "a"},
		{reason: "another runs fewer", most: 4, accounts: map[string]*share{"a": {running: 1}, "b": {ready: true, since: at(5)}}, asks: "a", woken: "b"},
		{reason: "another runs fewer, but does not wait", most: 4, accounts: map[string]*share{"a": {running: 1}, "b": {}}, asks: "a", want: true},
		{reason: "another, of which nobody knows yet, runs fewer", most: 4, accounts: map[string]*share{"a": {running: 1}, "b": {unseen: true}}, asks: "a"},
		{reason: "nobody's first build waits for what nobody knows", most: 4, accounts: map[string]*share{"b": {unseen: true}}, asks: "a", want: true},
		{reason: "another waits longer", most: 4, accounts: map[string]*share{"b": {ready: true, since: at(-1)}}, asks: "a", woken: "b"},
		{reason: "another waits shorter", most: 4, accounts: map[string]*share{"b": {ready: true, since: at(1)}}, asks: "a", want: true, woken: "b"},
		{reason: "an old queue does not make up for a place just had", most: 4,
			accounts: map[string]*share{"a": {served: at(3)}, "b": {ready: true, since: at(2)}}, asks: "a", woken: "b"},
		{reason: "alike in all: by name", most: 4, accounts: map[string]*share{"b": {ready: true, since: noon}}, asks: "a", want: true, woken: "b"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			woken := ""
			p := &places{most: c.most, now: func() time.Time { return at(9) }, wake: func(namespace string) { woken = namespace }}
			p.restore(c.accounts)
			if got := p.take(c.asks, noon); got != c.want {
				t.Errorf("take is %v", got)
			}
			p.leave(c.asks, 1, !c.want)
			if woken != c.woken {
				t.Errorf("%q is woken, want %q", woken, c.woken)
			}
		})
	}
}

// TestPlacesGoRound: in every order of asking, a place that comes free is for whoever had
// none for the longest, and nothing is forgotten or kept.
func TestPlacesGoRound(t *testing.T) {
	clock, turns := time.Unix(0, 0), make(chan string, 100)
	p := &places{most: 2, now: func() time.Time { clock = clock.Add(time.Second); return clock }, wake: func(namespace string) { turns <- namespace }}
	names := []string{"a", "b", "c", "d", "e"}
	for _, name := range names {
		p.join(name)
	}
	for _, name := range names {
		p.leave(name, 9, !p.take(name, time.Unix(0, 0)))
	}
	holders, served := []string{"a", "b"}, map[string]int{"a": 1, "b": 1}
	for range 48 {
		p.hold(holders[0], 0)
		next := <-turns
		if !p.take(next, time.Unix(0, 0)) {
			t.Fatalf("%s is woken, and it is not its turn", next)
		}
		p.take(holders[0], time.Unix(0, 0)) // its next build waits
		holders = append(holders[1:], next)
		served[next]++
		for len(turns) > 0 {
			<-turns
		}
	}
	for _, name := range names {
		if served[name] != 10 {
			t.Errorf("%s got %d of 50 places", name, served[name])
		}
	}
	for _, name := range names {
		p.hold(name, 0)
		p.leave(name, 0, false)
	}
	if taken, waiting := p.figures(); taken != 0 || waiting != 0 || len(p.accounts) != 0 {
		t.Errorf("%d places are taken, %d accounts wait, %d are kept, after all", taken, waiting, len(p.accounts))
	}
}

// BenchmarkPlaces is one decision while ten thousand accounts wait.
func BenchmarkPlaces(b *testing.B) {
	p := &places{most: 4, now: time.Now, wake: func(string) {}}
	for i := range 10_000 {
		p.take(fmt.Sprintf("account-%d", i), time.Unix(int64(i), 0))
	}
	for b.Loop() {
		p.hold("account-0", 0)
		p.hold("account-0", 1)
	}
}
