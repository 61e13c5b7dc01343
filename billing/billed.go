package billing

import (
	"sync"
	"time"
)

// settling is how long Stripe may take to add a meter event to its sums: it works on
// them behind its answer (https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api).
const settling = 5 * time.Minute

// billed remembers which customers' builds were billed within the time of settling.
type billed struct {
	mu sync.Mutex
	// began is since when it does; of builds billed shortly before it knows nothing.
	began time.Time
	last  map[string]time.Time
	// swept is when old ones were last taken out.
	swept time.Time
}

func (b *billed) note(customerID string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last == nil {
		b.last = map[string]time.Time{}
	}
	if now.Sub(b.swept) >= settling {
		b.swept = now
		for id, at := range b.last {
			if now.Sub(at) >= settling {
				delete(b.last, id)
			}
		}
	}
	b.last[customerID] = now
}

func (b *billed) settled(customerID string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.began) < settling {
		return false
	}
	at, ok := b.last[customerID]
	return !ok || now.Sub(at) >= settling
}
