package billing

import (
	"slices"
	"sync"

	"github.com/stripe/stripe-go/v76"
)

// directory knows which customer a login is. It is filled at start and learns from
// every customer read and every event; it may miss some, and a read proves the others.
type directory struct {
	warn    func(string)
	metrics *metrics

	mu        sync.RWMutex
	customers map[string]place
	// others are further customers of a login, made by hand; the oldest is the account.
	others map[string][]place
	// twinned counts the others.
	twinned int
	// gone are customers deleted lately, which Search may still show.
	gone map[string]bool
	// newest is the creation time of the newest customer seen, ours or not.
	newest   int64
	complete bool
}

type place struct {
	customerID string
	created    int64
}

// before orders customers of one login: the first is the account.
func (p place) before(other place) bool {
	return p.created < other.created || p.created == other.created && p.customerID < other.customerID
}

// maxGone bounds the memory of deleted customers.
const maxGone = 10_000

func newDirectory(metrics *metrics, warn func(string)) *directory {
	return &directory{
		warn: warn, metrics: metrics, customers: map[string]place{}, others: map[string][]place{}, gone: map[string]bool{},
	}
}

func (d *directory) lookup(login string) (string, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	found, ok := d.customers[login]
	return found.customerID, ok
}

// learn takes note of a customer that was read.
func (d *directory) learn(customer *stripe.Customer) {
	if customer.Deleted {
		return
	}
	d.mu.Lock()
	d.newest = max(d.newest, customer.Created)
	d.mu.Unlock()
	if login := loginOf(customer); login != "" {
		d.note(login, place{customerID: customer.ID, created: customer.Created})
	}
}

// note takes note of a login's customer. Of several the oldest is the account.
func (d *directory) note(login string, found place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.count()
	d.newest = max(d.newest, found.created)
	held, known := d.customers[login]
	switch {
	case d.gone[found.customerID] || known && held.customerID == found.customerID:
		return
	case !known:
		d.customers[login] = found
		return
	case found.before(held):
		d.customers[login] = found
		d.drop(login, found)
		found = held
	}
	if !slices.Contains(d.others[login], found) {
		d.others[login] = append(d.others[login], found)
		d.twinned++
		d.warn(twin(login, d.customers[login], found))
	}
}

// forget drops a login that is no longer this customer's; the next oldest takes it.
func (d *directory) forget(login, customerID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.count()
	held := d.customers[login]
	if held.customerID != customerID {
		d.drop(login, place{customerID: customerID})
		return
	}
	delete(d.customers, login)
	if others := d.others[login]; len(others) > 0 {
		next := slices.MinFunc(others, func(a, b place) int {
			if a.before(b) {
				return -1
			}
			return 1
		})
		d.customers[login] = next
		d.drop(login, next)
	}
}

// drop takes a customer out of the others, with the lock held.
func (d *directory) drop(login string, found place) {
	before := len(d.others[login])
	rest := slices.DeleteFunc(d.others[login], func(other place) bool { return other.customerID == found.customerID })
	d.twinned -= before - len(rest)
	if len(rest) == 0 {
		delete(d.others, login)
		return
	}
	d.others[login] = rest
}

// bury remembers that a customer was deleted, whatever older answers say.
func (d *directory) bury(customerID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.gone) >= maxGone {
		clear(d.gone)
	}
	d.gone[customerID] = true
}

func (d *directory) size() (accounts int, complete bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.customers), d.complete
}

func (d *directory) filled() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.complete = true
	d.metrics.complete.Set(1)
}

// count tells the metrics, with the lock held.
func (d *directory) count() {
	d.metrics.accounts.Set(float64(len(d.customers)))
	d.metrics.twins.Set(float64(d.twinned))
}

func (d *directory) horizon() int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.newest
}

// twins tells the logins that more than one customer has now.
func (d *directory) twins() []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	texts := []string{}
	for login, others := range d.others {
		for _, other := range others {
			texts = append(texts, twin(login, d.customers[login], other))
		}
	}
	slices.Sort(texts)
	return texts
}

func twin(login string, first, second place) string {
	return "customers " + first.customerID + " and " + second.customerID + ": both have the login " + login +
		"; the older one is the account"
}
