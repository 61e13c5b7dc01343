package gateway

import (
	"context"
	"sync"
)

// streams are the answers that last as long as their readers want: server-sent events
// and WebSockets. They are what a drain has to end.
type streams struct {
	mu       sync.Mutex
	draining bool
	open     map[int]func()
	next     int
	empty    chan struct{} // closed when draining and none is open
}

func newStreams() *streams { return &streams{open: map[int]func(){}, empty: make(chan struct{})} }

// add notes an open stream that end tells to end, from a goroutine of its own. ok is
// false when draining: then the stream must not begin. done is called when it is over.
func (s *streams) add(end func()) (done func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, false
	}
	key := s.next
	s.next++
	s.open[key] = end
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, key)
		if s.draining && len(s.open) == 0 {
			close(s.empty)
		}
	}, true
}

func (s *streams) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// drain tells all streams to end and takes no new ones.
func (s *streams) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return
	}
	s.draining = true
	for _, end := range s.open {
		go end()
	}
	if len(s.open) == 0 {
		close(s.empty)
	}
}

// Drain makes the gateway unready, refuses new subscriptions, and tells the open ones to
// reconnect: WebSockets by close code 1012 (service restart), on which graphql-ws clients
// try again; event streams by their end without a complete event. It returns when all
// are over, or with the context's error. Requests go on being served: end those by
// http.Server.Shutdown.
func (g *Gateway) Drain(ctx context.Context) error {
	g.streams.drain()
	select {
	case <-g.streams.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
