package cluster

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestHub(t *testing.T) {
	type event struct {
		topic, key, value string
	}
	for _, test := range []struct {
		reason string
		events []event
		want   []string
	}{
		{"changes come in order", []event{{"ada", "a", "a1"}, {"ada", "b", "b1"}}, []string{"a1", "b1"}},
		{"a slow subscriber gets the newest state of each object, once",
			[]event{{"ada", "a", "a1"}, {"ada", "b", "b1"}, {"ada", "a", "a2"}, {"ada", "a", "a3"}}, []string{"a3", "b1"}},
		{"other topics and unwanted values are not told",
			[]event{{"bob", "a", "a1"}, {"ada", "x", "unwanted"}, {"ada", "b", "b1"}}, []string{"b1"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "subscribers"})
			h := newHub[string](gauge)
			s := h.subscribe("ada", func(v string) bool { return v != "unwanted" })
			for _, e := range test.events {
				h.publish(e.topic, e.key, change[string]{value: e.value})
			}
			var got []string
			for c, ok := s.pop(); ok; c, ok = s.pop() {
				got = append(got, c.value)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if n := testutil.ToFloat64(gauge); n != 1 {
				t.Errorf("%v subscribers are counted, want 1", n)
			}
			h.unsubscribe("ada", s)
			if n := testutil.ToFloat64(gauge); n != 0 || len(h.topics) != 0 {
				t.Errorf("%v subscribers and %d topics remain", n, len(h.topics))
			}
		})
	}
}

// A subscriber that takes nothing costs memory for the objects it is to learn of, not
// for the events that there were.
func TestHubHoldsNoBacklog(t *testing.T) {
	h := newHub[int](prometheus.NewGauge(prometheus.GaugeOpts{Name: "subscribers"}))
	s := h.subscribe("ada", func(int) bool { return true })
	for i := range 100_000 {
		h.publish("ada", fmt.Sprint(i%10), change[int]{value: i})
	}
	if len(s.waiting) != 10 || len(s.newest) != 10 {
		t.Errorf("%d keys wait and %d states are held, want 10 of each", len(s.waiting), len(s.newest))
	}
	if c, _ := s.pop(); c.value != 99_990 {
		t.Errorf("the first is %d, want the newest of its object: 99990", c.value)
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, subscribers := range []int{1, 1000, 10_000} {
		b.Run(fmt.Sprint(subscribers), func(b *testing.B) {
			h := newHub[int](prometheus.NewGauge(prometheus.GaugeOpts{Name: "subscribers"}))
			for range subscribers {
				h.subscribe("ada", func(int) bool { return true })
			}
			for i := 0; b.Loop(); i++ {
				h.publish("ada", "key", change[int]{value: i})
			}
		})
	}
}

// TestQuiet: a change that shows nothing new does not hide one that waits before it.
func TestQuiet(t *testing.T) {
	for _, c := range []struct {
		reason string
		quiet  []bool
		want   bool
	}{
		{"a change alone that shows nothing", []bool{true}, true},
		{"nothing new behind something new", []bool{false, true}, false},
		{"something new behind nothing new", []bool{true, false}, false},
	} {
		t.Run(c.reason, func(t *testing.T) {
			h := newHub[int](prometheus.NewGauge(prometheus.GaugeOpts{Name: "subscribers"}))
			s := h.subscribe("ada", func(int) bool { return true })
			for i, quiet := range c.quiet {
				h.publish("ada", "key", change[int]{value: i, quiet: quiet})
			}
			got, ok := s.take(t.Context())
			if !ok || got.quiet != c.want || got.value != len(c.quiet)-1 {
				t.Errorf("got %+v, want the last value and quiet %v", got, c.want)
			}
		})
	}
}
