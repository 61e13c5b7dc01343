package gateway

import (
	"cmp"
	"time"

	"drydock.dev/drydock/graph"
	"drydock.dev/drydock/graph/model"
)

// Limits bound what one client may ask for. Zero values mean the defaults.
type Limits struct {
	// BodyBytes of a request or a WebSocket message; default 1 MiB.
	BodyBytes int64
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
	// KeepAlive is the time between pings of a stream; default 20 s.
	KeepAlive time.Duration
}

func (l Limits) orDefaults() Limits {
	return Limits{
		BodyBytes:     cmp.Or(l.BodyBytes, 1<<20),
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

// mutationCost is what a mutation costs beside what it gives back: it writes upstream.
const mutationCost = 50

// Costs say what the fields of the schema cost where it is not 1 and their children:
// connections cost a page of their children, mutations a write. A page size that is not
// legal costs as much as the next legal one, so that its own error is what is told.
func Costs() graph.ComplexityRoot {
	var c graph.ComplexityRoot
	c.Query.Accounts = func(child, first int, _ *string) int { return pageCost(child, first) }
	c.Query.Nodes = func(child int, ids []string) int { return pageCost(child, len(ids)) }
	c.Account.Images = func(child, first int, _ *string, _ *model.ImageFilter, _ *model.ImageOrder) int {
		return pageCost(child, first)
	}
	c.Account.Builds = func(child, first int, _ *string, _ []model.BuildPhase) int { return pageCost(child, first) }
	c.Image.Builds = func(child, first int, _ *string, _ []model.BuildPhase) int { return pageCost(child, first) }
	c.Build.Log = func(child, _, first int) int { return 10 + pageCost(child, first/10) }
	c.Usage.Daily = func(child int) int { return pageCost(child, 31) }
	c.Mutation.CreateImage = func(child int, _ model.CreateImageInput) int { return mutationCost + child }
	c.Mutation.UpdateImage = func(child int, _ model.UpdateImageInput) int { return mutationCost + child }
	c.Mutation.DeleteImage = func(child int, _ model.DeleteImageInput) int { return mutationCost + child }
	c.Mutation.StartBuild = func(child int, _ model.StartBuildInput) int { return mutationCost + child }
	c.Mutation.CancelBuild = func(child int, _ model.CancelBuildInput) int { return mutationCost + child }
	c.Mutation.RetryBuild = func(child int, _ model.RetryBuildInput) int { return mutationCost + child }
	return c
}

// pageCost is the cost of first items; it cannot overflow, since child is at most what a
// document of bounded size below a page of bounded size costs.
func pageCost(child, first int) int {
	const most = 1 << 40
	return 1 + min(child, most)*min(max(first, 1), model.MaxPage)
}
