package cache

import (
	"context"
	"sync"
	"time"
)

// oldest keeps the age of the oldest stale value that a load was made of.
type oldest struct {
	mu    sync.Mutex
	heard bool
	most  time.Duration
}

func (o *oldest) told(_ context.Context, age time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard, o.most = true, max(o.most, age)
}

func (o *oldest) age() (most time.Duration, heard bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.most, o.heard
}
