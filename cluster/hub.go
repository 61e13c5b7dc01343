package cluster

import (
	"context"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/tally"
)

// hub tells subscribers of changes. They are grouped by topic, so that a change costs
// those alone who may want it.
type hub[T any] struct {
	mu     sync.Mutex
	topics map[string]map[*subscriber[T]]struct{}
	gauge  prometheus.Gauge
}

// change is the newest state of one object.
type change[T any] struct {
	value T
	// gone: the object is no more, value is its last state.
	gone bool
	// quiet: nothing that is shown changed since the state before.
	quiet bool
}

// subscriber holds for each object the newest state that was not taken yet. Whoever
// reads slowly misses states in between, never the last one.
type subscriber[T any] struct {
	wants func(T) bool
	mu    sync.Mutex
	// waiting holds the keys in the order in which they first changed.
	waiting []string
	newest  map[string]change[T]
	// ready holds a token while there is something to take.
	ready chan struct{}
}

func newHub[T any](gauge prometheus.Gauge) *hub[T] {
	return &hub[T]{topics: map[string]map[*subscriber[T]]struct{}{}, gauge: gauge}
}

func (h *hub[T]) subscribe(topic string, wants func(T) bool) *subscriber[T] {
	s := &subscriber[T]{wants: wants, newest: map[string]change[T]{}, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.topics[topic] == nil {
		h.topics[topic] = map[*subscriber[T]]struct{}{}
	}
	h.topics[topic][s] = struct{}{}
	h.gauge.Inc()
	return s
}

func (h *hub[T]) unsubscribe(topic string, s *subscriber[T]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.topics[topic], s)
	if len(h.topics[topic]) == 0 {
		delete(h.topics, topic)
	}
	h.gauge.Dec()
}

// publish hands a change to all who want it, and waits for none of them.
func (h *hub[T]) publish(topic, key string, c change[T]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.topics[topic] {
		if s.wants(c.value) {
			s.offer(key, c)
		}
	}
}

func (s *subscriber[T]) offer(key string, c change[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, waits := s.newest[key]
	if !waits {
		s.waiting = append(s.waiting, key)
	}
	c.quiet = c.quiet && (!waits || before.quiet)
	s.newest[key] = c
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// take waits for the next change; not ok when the context ends.
func (s *subscriber[T]) take(ctx context.Context) (c change[T], ok bool) {
	for {
		if c, ok = s.pop(); ok {
			return c, ctx.Err() == nil
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return c, false
		}
	}
}

func (s *subscriber[T]) pop() (c change[T], ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.waiting = nil // give the memory back
		return c, false
	}
	key := s.waiting[0]
	s.waiting = s.waiting[1:]
	c = s.newest[key]
	delete(s.newest, key)
	return c, true
}

// newSubscribers registers the gauge drydock_subscribers{kind}.
func newSubscribers(registerer prometheus.Registerer) (*prometheus.GaugeVec, error) {
	return tally.Register(registerer, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "drydock_subscribers",
		Help: "Subscribers to changes of objects, by kind.",
	}, []string{"kind"}))
}
