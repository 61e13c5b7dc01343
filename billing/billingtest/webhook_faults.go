package billingtest

import "time"

// WebhookFault is a misbehaviour of webhooks, for the next events that match. The
// list of events is not touched by it.
type WebhookFault struct {
	// Type is the events', such as product.updated or customer.*; empty: any.
	Type string `json:"type"`
	// Times is how many deliveries it meets; 0 means one, below 0 all until
	// ClearWebhookFaults.
	Times int `json:"times"`
	// Delay passes before the event is sent; in JSON it is nanoseconds.
	Delay time.Duration `json:"delay"`
	// Twice sends the event again when it was taken.
	Twice bool `json:"twice"`
	// Behind is how many later events the endpoint takes before this one is sent.
	Behind int `json:"behind"`
	// Lose never sends the event.
	Lose bool `json:"lose"`
}

// InjectWebhooks makes webhooks misbehave. Faults meet deliveries in the order they
// came in, one fault each.
func (s *Server) InjectWebhooks(faults ...WebhookFault) {
	s.webhooks.mu.Lock()
	defer s.webhooks.mu.Unlock()
	for _, fault := range faults {
		if fault.Times == 0 {
			fault.Times = 1
		}
		s.webhooks.faults = append(s.webhooks.faults, &fault)
	}
}

// ClearWebhookFaults ends all misbehaviour; events held back are sent.
func (s *Server) ClearWebhookFaults() {
	o := s.webhooks
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults = nil
	for _, d := range o.behind {
		o.send(d, 0)
	}
	o.behind = nil
}

// misbehave sends a delivery as the first fault that it meets has it; the caller holds
// the lock.
func (o *outbox) misbehave(d *delivery) {
	var fault WebhookFault
	for _, f := range o.faults {
		if f.Times == 0 || f.Type != "" && !ofType(d.kind, []string{f.Type}) {
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		fault = *f
		break
	}
	switch {
	case fault.Lose:
		return
	case fault.Behind > 0:
		d.after = fault.Behind
		o.behind = append(o.behind, d)
		return
	case fault.Twice:
		again := *d
		o.send(&again, fault.Delay)
	}
	o.send(d, fault.Delay)
}

// release sends what was held back for events that were now taken.
func (o *outbox) release(taken *delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var still []*delivery
	for _, d := range o.behind {
		if d.url == taken.url && d.event != taken.event {
			d.after--
		}
		if d.after > 0 {
			still = append(still, d)
			continue
		}
		o.send(d, 0)
	}
	o.behind = still
}
