package web

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// TestExamples holds GraphiQL's example operations, and their variables, to the schema.
func TestExamples(t *testing.T) {
	schema := gqlparser.MustLoadSchema(sources(t, "../schema/*.graphqls")...)
	examples := sources(t, "graphiql/examples/*.graphql")
	if len(examples) < 7 {
		t.Fatalf("%d examples were found, want 7 at least", len(examples))
	}
	for _, example := range examples {
		t.Run(filepath.Base(example.Name), func(t *testing.T) {
			document, errs := gqlparser.LoadQueryWithRules(schema, example.Input, rules.NewDefaultRules())
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if len(document.Operations) != 1 || document.Operations[0].Name == "" {
				t.Fatal("an example is one operation with a name: the name is the tab's title")
			}
			given := variables(t, strings.TrimSuffix(example.Name, ".graphql")+".json")
			if _, err := validator.VariableValues(schema, document.Operations[0], given); err != nil {
				t.Error(err)
			}
		})
	}
}

func sources(t *testing.T, pattern string) []*ast.Source {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var all []*ast.Source
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &ast.Source{Name: name, Input: string(text)})
	}
	return all
}

func variables(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var given map[string]any
	if err := json.Unmarshal(text, &given); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return given
}
