package resolvers

import (
	"math"

	"drydock.dev/drydock/graph"
	"drydock.dev/drydock/graph/model"
)

// linesPerUnit is how many lines of a log cost as much as one object.
const linesPerUnit = 100

// searchCost is what looking through a log costs beside the lines that it gives.
const searchCost = 500

// complexity tells what the fields that give many cost: what one costs, for each
// that may come. All others cost 1 and what is below them.
func complexity() graph.ComplexityRoot {
	var c graph.ComplexityRoot
	c.Query.Accounts = func(child, first int, _ *string) int { return many(child, first) }
	c.Query.Nodes = func(child int, ids []string) int { return many(child, len(ids)) }
	c.Account.Images = func(child, first int, _ *string, _ *model.ImageFilter, _ *model.ImageOrder) int {
		return many(child, first)
	}
	c.Account.Builds = func(child, first int, _ *string, _ []model.BuildPhase) int { return many(child, first) }
	c.Image.Builds = func(child, first int, _ *string, _ []model.BuildPhase) int { return many(child, first) }
	c.Build.Log = func(child, _, first int) int { return many(child, first/linesPerUnit) }
	c.Build.LogSearch = func(child int, _ string, _, first int) int { return searchCost + many(child, first/linesPerUnit) }
	return c
}

// many is count times child, and one. Counts that will be refused anyway cost as
// much as the nearest legal one; what is beyond an int stays at its end.
func many(child, count int) int {
	count = min(max(count, 1), model.MaxPage)
	if child >= math.MaxInt/count {
		return math.MaxInt
	}
	return child*count + 1
}
