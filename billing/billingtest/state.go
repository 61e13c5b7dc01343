package billingtest

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// state is everything that outlives a request; it is also the file's shape.
type state struct {
	Customers     *collection `json:"customers"`
	Products      *collection `json:"products"`
	Prices        *collection `json:"prices"`
	Subscriptions *collection `json:"subscriptions"`
	Meters        *collection `json:"meters"`
	// Sessions are Checkout's, Portals the customer portal's; a cart is the form of the
	// subscription that an open session will begin.
	Sessions *collection               `json:"sessions"`
	Portals  *collection               `json:"portals"`
	Carts    map[string]map[string]any `json:"carts"`
	// Failing are the subscriptions whose next payment will not go through.
	Failing     map[string]bool `json:"failing"`
	MeterEvents *collection     `json:"meterEvents"`
	Events      *collection     `json:"events"`
	// Answers are the finished requests with an idempotency key.
	Answers map[string]*answer `json:"answers"`
}

func newState() *state {
	return &state{
		Customers: &collection{}, Products: &collection{}, Prices: &collection{}, Subscriptions: &collection{},
		Sessions: &collection{}, Portals: &collection{}, Carts: map[string]map[string]any{}, Failing: map[string]bool{},
		Meters: &collection{}, MeterEvents: &collection{}, Events: &collection{}, Answers: map[string]*answer{},
	}
}

// collection holds objects of one kind, oldest first.
type collection struct {
	Items []object `json:"items"`
	index map[string]int
}

func (c *collection) add(id string, o object) {
	if c.index == nil {
		c.reindex()
	}
	c.index[id] = len(c.Items)
	c.Items = append(c.Items, o)
}

// insert adds an object where its time of creation puts it.
func (c *collection) insert(o object) {
	at := len(c.Items)
	for at > 0 && number(c.Items[at-1], "created") > number(o, "created") {
		at--
	}
	if at == len(c.Items) {
		c.add(text(o, "id"), o)
		return
	}
	c.Items, c.index = slices.Insert(c.Items, at, o), nil
}

func (c *collection) get(id string) (object, bool) {
	at, ok := c.find(id)
	if !ok {
		return nil, false
	}
	return c.Items[at], true
}

// find is where an object stands.
func (c *collection) find(id string) (int, bool) {
	if c.index == nil {
		c.reindex()
	}
	at, ok := c.index[id]
	return at, ok
}

func (c *collection) reindex() {
	c.index = make(map[string]int, len(c.Items))
	for i, item := range c.Items {
		id := text(item, "id")
		if id == "" {
			id = text(item, "identifier")
		}
		c.index[id] = i
	}
}

// load reads the state from a file; an absent one is an empty state.
func load(file string) (*state, error) {
	held := newState()
	if file == "" {
		return held, nil
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return held, nil
	}
	if err != nil {
		return nil, err
	}
	return held, decode(data, held)
}

// save replaces the file in one step, so that a crash leaves the old or the new one.
func (s *state) save(file string) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next.Name()) }()
	if _, err := next.Write(data); err != nil {
		return errors.Join(err, next.Close())
	}
	if err := errors.Join(next.Sync(), next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), file)
}
