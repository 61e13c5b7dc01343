package billing

import (
	"context"
	"sync"
)

// WatchAccount gives a channel with a token at once and after each change that may show
// in the Account, the Plan or the Usage of the login. Tokens that nobody took yet are
// one. The channel is closed when ctx ends. Unknown logins are fault.NotFound.
//
// Stripe: as resolve.
func (c *Client) WatchAccount(ctx context.Context, login string) (<-chan struct{}, error) {
	lower, err := canonical(login)
	if err != nil {
		return nil, noAccount()
	}
	// First the channel: what changes from now on is told.
	tokens := c.watchers.add(lower)
	id, err := c.resolve(ctx, lower)
	if err != nil {
		c.watchers.remove(lower, tokens)
		return nil, c.translate(err)
	}
	c.watchers.bind(lower, id)
	context.AfterFunc(ctx, func() { c.watchers.remove(lower, tokens) })
	return tokens, nil
}

// watchers are who waits for changes, by login.
type watchers struct {
	mu     sync.Mutex
	logins map[string]*watched
	// customers are the logins of the customers that are watched.
	customers map[string]string
	// listeners hear of every account's.
	listeners map[*func(login, customerID string)]bool
}

type watched struct {
	channels  map[chan struct{}]bool
	customers []string
}

func (w *watchers) add(login string) chan struct{} {
	tokens := make(chan struct{}, 1)
	tokens <- struct{}{}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.logins == nil {
		w.logins, w.customers = map[string]*watched{}, map[string]string{}
	}
	if w.logins[login] == nil {
		w.logins[login] = &watched{channels: map[chan struct{}]bool{}}
	}
	w.logins[login].channels[tokens] = true
	return tokens
}

func (w *watchers) remove(login string, tokens chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.logins[login]
	delete(of.channels, tokens)
	close(tokens)
	if len(of.channels) > 0 {
		return
	}
	delete(w.logins, login)
	for _, id := range of.customers {
		if w.customers[id] == login {
			delete(w.customers, id)
		}
	}
}

// bind tells which customer a login is, where it is watched.
func (w *watchers) bind(login, customerID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.logins[login]
	if of == nil || w.customers[customerID] == login {
		return
	}
	w.customers[customerID] = login
	of.customers = append(of.customers, customerID)
}

func (w *watchers) wake(login string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logins[login].wake()
	w.tell(login, "")
}

func (w *watchers) wakeCustomer(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logins[w.customers[id]].wake()
	w.tell("", id)
}

func (w *watchers) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, of := range w.logins {
		of.wake()
	}
	w.tell("", "")
}

// wake is called with the lock held; nil is nobody.
func (w *watched) wake() {
	if w == nil {
		return
	}
	for tokens := range w.channels {
		select {
		case tokens <- struct{}{}:
		default:
		}
	}
}
