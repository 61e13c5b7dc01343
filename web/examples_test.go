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

// TestExamples holds GraphiQL's example operations, and their variables, to the schema, and that there is one for each part of it.
func TestExamples(t *testing.T) {
	schema := gqlparser.MustLoadSchema(sources(t, "../schema/*.graphqls")...)
	examples := sources(t, "graphiql/examples/*.graphql")
	shown := map[string]bool{} // files of the schema of which an example uses a field
	var walk validator.Events
	walk.OnField(func(_ *validator.Walker, field *ast.Field) {
		shown[part(field.Definition)] = true
	})
	for _, example := range examples {
		t.Run(filepath.Base(example.Name), func(t *testing.T) {
			document, errs := gqlparser.LoadQueryWithRules(schema, example.Input, rules.NewDefaultRules())
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if len(document.Operations) != 1 || document.Operations[0].Name == "" {
				t.Fatal("an example is one operation with a name: the name is the tab's title")
			}
			validator.Walk(schema, document, &walk)
			given := variables(t, strings.TrimSuffix(example.Name, ".graphql")+".json")
			if _, err := validator.VariableValues(schema, document.Operations[0], given); err != nil {
				t.Error(err)
			}
		})
	}
	for _, kind := range schema.Types {
		for _, field := range kind.Fields {
			if name := part(field); kind.Kind == ast.Object && name != "" && !shown[name] {
				t.Errorf("no example shows anything of %s, such as %s.%s", name, kind.Name, field.Name)
			}
		}
	}
}

// part is the file of the schema that has a field; nothing for those of GraphQL itself.
func part(field *ast.FieldDefinition) string {
	if field == nil || field.Position == nil || field.Position.Src == nil || field.Position.Src.BuiltIn {
		return ""
	}
	return field.Position.Src.Name
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
