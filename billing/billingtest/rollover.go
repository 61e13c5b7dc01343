package billingtest

import "time"

// rollEvery is how often the clock is looked at, in real time.
const rollEvery = time.Second

// RollOver does what passing time brings about, and makes its events: periods roll
// over, trials end, subscriptions cancelled at their period's end do end, Checkout
// sessions expire. It runs by itself every second; tests that move the clock may call
// it so as not to wait.
func (s *Server) RollOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	c := &call{server: s, at: now, now: now.Unix()}
	for _, subscription := range s.state.Subscriptions.Items {
		c.roll(subscription)
	}
	for _, session := range s.state.Sessions.Items {
		c.lapse(session)
	}
	s.forgetEvents(now)
}

// watchClock calls RollOver until Close.
func (s *Server) watchClock() {
	ticker := time.NewTicker(rollEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
			s.RollOver()
		}
	}
}
