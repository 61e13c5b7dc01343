package resolvers_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/complexity"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"drydock.dev/drydock/graph"
	"drydock.dev/drydock/resolvers"
)

func TestComplexity(t *testing.T) {
	schema := graph.NewExecutableSchema(resolvers.New(resolvers.Options{}))
	cost := func(query string) int {
		t.Helper()
		document, errs := gqlparser.LoadQueryWithRules(schema.Schema(), query, rules.NewDefaultRules())
		if errs != nil {
			t.Fatal(errs)
		}
		return complexity.Calculate(context.Background(), schema, document.Operations[0], nil)
	}
	const turns = 12 // 100 to the power of 12 is beyond 64 bits
	deep := "{ viewer { " + strings.Repeat("builds(first: 100) { edges { node { image { ", turns) + "id" + strings.Repeat(" } } } }", turns) + " } }"
	cases := []struct {
		reason string
		query  string
		least  int
		most   int
	}{
		{"a field costs one", `{ viewer { login } }`, 2, 2},
		{"a list costs its items", `{ viewer { images(first: 20) { edges { node { name } } } } }`, 60, 80},
		{"lists within lists multiply", `{ viewer { images(first: 20) { edges { node { builds(first: 3) { edges { node { id } } } } } } } }`, 180, 300},
		{"so do ids", `{ nodes(ids: ["a", "b", "c", "d"]) { id } }`, 5, 5},
		{"a negative page is no discount", `{ viewer { images(first: -1000) { edges { node { name } } } } }`, 4, 10},
		{"a page that will be refused does not cost more than the largest", `{ viewer { images(first: 2000000000) { edges { node { name } } } } }`, 300, 310},
		{"the whole of a log costs more than its start", `{ build(id: "x") { log(first: 10000) { endCursor } } }`, 100, 110},
		{"what is beyond every number stays beyond every limit", deep, math.MaxInt, math.MaxInt},
	}
	for _, c := range cases {
		if got := cost(c.query); got < c.least || got > c.most {
			t.Errorf("%s: %d, want %d to %d", c.reason, got, c.least, c.most)
		}
	}
	if got := cost(dashboard(t)); got > 2500 {
		t.Errorf("the dashboard costs %d: a limit that lets it pass lets much pass", got)
	} else {
		t.Logf("the dashboard costs %d", got)
	}
}
