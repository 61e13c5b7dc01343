package gateway

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Codes of operations that ask for too much, and of what Apollo's clients know.
const (
	codeDepth      = "DEPTH_LIMIT_EXCEEDED"
	codeComplexity = "COMPLEXITY_LIMIT_EXCEEDED"
	codeTooLarge   = "REQUEST_TOO_LARGE"
	codeNotFound   = "PERSISTED_QUERY_NOT_FOUND"
)

const (
	// maxFields of an operation once its fragments are written out; it bounds the work of
	// weighing the operation, which grows with it.
	maxFields = 10_000
	// maxMutations of one operation; each one writes upstream.
	maxMutations = 25
	// schemaFields is how many fields a look at the schema counts as.
	schemaFields = 1_000
)

// depthLimit refuses operations that are deep, or that fragments make huge, before
// anything walks them. It also holds the introspection switch.
type depthLimit struct {
	limit         int
	introspection bool
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = depthLimit{}

// ExtensionName serves gqlgen.
func (depthLimit) ExtensionName() string { return "DepthLimit" }

// Validate serves gqlgen.
func (depthLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses what is too deep.
func (d depthLimit) MutateOperationContext(_ context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	size := measurer{fragments: map[string]extent{}}.measure(oc.Operation.SelectionSet)
	switch {
	case size.schema && !d.introspection:
		return coded(errcode.ValidationFailed, "Introspection is switched off on this server.")
	case size.depth > d.limit:
		return coded(codeDepth, "The operation is %d fields deep, and %d are allowed: ask for it in several operations.", size.depth, d.limit)
	case size.fields > maxFields:
		return coded(codeComplexity, "The operation has too many fields, and %d are allowed: ask for less at once.", maxFields)
	case oc.Operation.Operation == ast.Mutation && len(graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Mutation"})) > maxMutations:
		return coded(codeComplexity, "The operation has more than %d mutations: send them in several operations.", maxMutations)
	}
	return nil
}

// extent is the size of a selection, with its fragments written out.
type extent struct {
	depth, fields int
	schema        bool
}

// measurer measures each fragment once: fragments of fragments would else take time
// that doubles with each. Validation made sure that they have no cycle.
type measurer struct{ fragments map[string]extent }

func (m measurer) measure(selections ast.SelectionSet) extent {
	var all extent
	for _, selection := range selections {
		var one extent
		switch s := selection.(type) {
		case *ast.Field:
			one = m.field(s)
		case *ast.InlineFragment:
			one = m.measure(s.SelectionSet)
		case *ast.FragmentSpread:
			known, ok := m.fragments[s.Name]
			if !ok {
				known = m.measure(s.Definition.SelectionSet)
				m.fragments[s.Name] = known
			}
			one = known
		}
		all.depth = max(all.depth, one.depth)
		all.fields = min(all.fields+one.fields, maxFields+1)
		all.schema = all.schema || one.schema
	}
	return all
}

func (m measurer) field(f *ast.Field) extent {
	below := m.measure(f.SelectionSet)
	if f.Name == "__schema" || f.Name == "__type" {
		return extent{fields: schemaFields + below.fields, schema: true}
	}
	return extent{depth: below.depth + 1, fields: below.fields + 1, schema: below.schema}
}

// coded is an error that the client may read as it is.
func coded(code, format string, args ...any) *gqlerror.Error {
	err := gqlerror.Errorf(format, args...)
	errcode.Set(err, code)
	return err
}
