package billing

import "context"

// OnChange has heard called, until ctx ends, with the login or the customer's id of each
// account whose Account, Plan or Usage may have changed; with neither where it may be any.
// It must not block, nor call the client.
func (c *Client) OnChange(ctx context.Context, heard func(login, customerID string)) {
	listener := &heard
	c.watchers.mu.Lock()
	defer c.watchers.mu.Unlock()
	if c.watchers.listeners == nil {
		c.watchers.listeners = map[*func(string, string)]bool{}
	}
	c.watchers.listeners[listener] = true
	context.AfterFunc(ctx, func() {
		c.watchers.mu.Lock()
		defer c.watchers.mu.Unlock()
		delete(c.watchers.listeners, listener)
	})
}

// tell is called with the lock held.
func (w *watchers) tell(login, customerID string) {
	for heard := range w.listeners {
		(*heard)(login, customerID)
	}
}
