package billing

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/stripe/stripe-go/v76"
)

// eventTypes are the events that change what is held here. Stripe's list takes up to 20.
var eventTypes = []stripe.EventType{
	stripe.EventTypeCustomerCreated, stripe.EventTypeCustomerUpdated, stripe.EventTypeCustomerDeleted,
	stripe.EventTypeCustomerSubscriptionCreated, stripe.EventTypeCustomerSubscriptionUpdated,
	stripe.EventTypeCustomerSubscriptionDeleted, stripe.EventTypeCustomerSubscriptionPaused,
	stripe.EventTypeCustomerSubscriptionResumed, stripe.EventTypeCheckoutSessionCompleted,
	stripe.EventTypeProductCreated, stripe.EventTypeProductUpdated, stripe.EventTypeProductDeleted,
	stripe.EventTypePriceCreated, stripe.EventTypePriceUpdated, stripe.EventTypePriceDeleted,
}

// subject is what an event's object tells of whom it concerns: a reference is an id, or
// the object where Stripe expanded it.
type subject struct {
	ID       string            `json:"id"`
	Object   string            `json:"object"`
	Created  int64             `json:"created"`
	Metadata map[string]string `json:"metadata"`
	Customer json.RawMessage   `json:"customer"`
	Product  json.RawMessage   `json:"product"`
}

// noticesOfEvent are the notices of an event; none where it changes nothing of ours. It
// goes by the object and not by the type, so that new types of events are no surprise.
func noticesOfEvent(event *stripe.Event) []string {
	if event.Data == nil {
		return nil
	}
	var of subject
	if err := json.Unmarshal(event.Data.Raw, &of); err != nil || of.ID == "" {
		return nil
	}
	switch of.Object {
	case "customer":
		return noticesOfCustomer(event, of)
	case "subscription", "checkout.session":
		if id := reference(of.Customer); id != "" {
			return []string{notice(noticeCustomer, id)}
		}
	case "product":
		return []string{notice(noticeProduct, of.ID)}
	case "price":
		if id := reference(of.Product); id != "" {
			return []string{notice(noticePrice, id)}
		}
	}
	return nil
}

func noticesOfCustomer(event *stripe.Event, of subject) []string {
	customer := &stripe.Customer{ID: of.ID, Created: of.Created, Metadata: of.Metadata}
	login := loginOf(customer)
	metadata, _ := event.Data.PreviousAttributes["metadata"].(map[string]any)
	before, _ := metadata[metaLogin].(string)
	before, err := canonical(before)
	left := err == nil && before != login
	switch {
	case strings.Contains(of.ID, ":"), login == "" && !left:
		return nil // none of ours, now and before
	case event.Type == stripe.EventTypeCustomerDeleted:
		return []string{notice(noticeCustomer, of.ID), notice(noticeGone, login, of.ID)}
	}
	notices := noticesOf(customer)
	if left {
		notices = append(notices, notice(noticeLeft, before, of.ID))
	}
	_, epoch := metadata[metaTokenEpoch]
	if _, role := metadata[metaRole]; epoch || role {
		notices = append(notices, notice(noticeRevoked, of.ID))
	}
	return notices
}

// reference is the id that a field refers to; empty where it is none.
func reference(field json.RawMessage) string {
	var id string
	if json.Unmarshal(field, &id) == nil {
		return id
	}
	var expanded struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(field, &expanded)
	return expanded.ID
}

// maxSeen bounds the memory of events.
const maxSeen = 10_000

// seen are the events that were heeded here, lately: true for those that the other
// replicas were told of, too.
type seen struct {
	mu sync.Mutex
	// now and old hold up to maxSeen each; a full one replaces the older.
	now, old map[string]bool
}

func (s *seen) add(id string, told bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil || len(s.now) >= maxSeen {
		s.old, s.now = s.now, make(map[string]bool)
	}
	s.now[id] = told || s.now[id] || s.old[id]
}

func (s *seen) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, now := s.now[id]
	_, old := s.old[id]
	return now || old
}

func (s *seen) told(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now[id] || s.old[id]
}
