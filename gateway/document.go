package gateway

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// maxSelections of a document as it is written. Validation compares the fields of one
// name with each other, pair by pair: this bounds its time to about a tenth of a second.
const maxSelections = 1_000

// documentLimit refuses documents of too many selections before they are validated. What
// the document cache holds has passed already.
type documentLimit struct {
	tokens int
	cache  graphql.Cache[*ast.QueryDocument]
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
} = documentLimit{}

// ExtensionName serves gqlgen.
func (documentLimit) ExtensionName() string { return "DocumentLimit" }

// Validate serves gqlgen.
func (documentLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters refuses a document of too many selections. One that does not
// parse is left to the executor, which tells why.
func (d documentLimit) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	if _, known := d.cache.Get(ctx, params.Query); known {
		return nil
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, d.tokens)
	if err != nil {
		return nil //nolint:nilerr // the executor parses again and tells
	}
	selections := 0
	for _, operation := range document.Operations {
		selections += written(operation.SelectionSet)
	}
	for _, fragment := range document.Fragments {
		selections += written(fragment.SelectionSet)
	}
	if selections > maxSelections {
		return coded(codeComplexity, "The document selects %d fields and fragments, and %d are allowed: ask for less at once.", selections, maxSelections)
	}
	return nil
}

// written is the number of selections as they are written.
func written(selections ast.SelectionSet) int {
	total := len(selections)
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			total += written(s.SelectionSet)
		case *ast.InlineFragment:
			total += written(s.SelectionSet)
		}
	}
	return total
}
