package gateway

import (
	"cmp"
	"time"
)

// Limits bound what one client may ask for. Zero values mean the defaults.
type Limits struct {
	// BodyBytes of a request or a WebSocket message; default 1 MiB.
	BodyBytes int64
	// BodyTime is how long the body of a request may take to arrive; default 30 s.
	BodyTime time.Duration
	// QueryBytes of a GraphQL document; default 100,000.
	QueryBytes int
	// Tokens of a GraphQL document; default 10,000.
	Tokens int
	// Depth of an operation in fields; default 15. Introspection does not count.
	Depth int
	// Complexity of an operation: about how many fields it may give; default 20,000.
	Complexity int
	// Subscriptions open at once on one WebSocket; default 100.
	Subscriptions int
	// Timeout of a query or mutation; default 30 s.
	Timeout time.Duration
	// InitTimeout is how long a WebSocket may take to say connection_init; default 10 s.
	InitTimeout time.Duration
	// KeepAlive is the time between pings of a stream; default 20 s. Who answers none for
	// three times that, and takes nothing either, loses the connection.
	KeepAlive time.Duration
}

func (l Limits) orDefaults() Limits {
	return Limits{
		BodyBytes:     cmp.Or(l.BodyBytes, 1<<20),
		BodyTime:      cmp.Or(l.BodyTime, 30*time.Second),
		QueryBytes:    cmp.Or(l.QueryBytes, 100_000),
		Tokens:        cmp.Or(l.Tokens, 10_000),
		Depth:         cmp.Or(l.Depth, 15),
		Complexity:    cmp.Or(l.Complexity, 20_000),
		Subscriptions: cmp.Or(l.Subscriptions, 100),
		Timeout:       cmp.Or(l.Timeout, 30*time.Second),
		InitTimeout:   cmp.Or(l.InitTimeout, 10*time.Second),
		KeepAlive:     cmp.Or(l.KeepAlive, 20*time.Second),
	}
}
