package schema_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// load reads the schema that the files of a pattern make up together.
func load(t *testing.T, pattern string) *ast.Schema {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(names), err)
	}
	var sources []*ast.Source
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// ours are the definitions of a schema that GraphQL itself does not bring.
func ours(schema *ast.Schema) []*ast.Definition {
	var definitions []*ast.Definition
	for name, definition := range schema.Types {
		if !definition.BuiltIn && !strings.HasPrefix(name, "__") {
			definitions = append(definitions, definition)
		}
	}
	return definitions
}

func TestEverythingIsDescribed(t *testing.T) {
	described := func(what, description string) {
		if len(strings.TrimSpace(description)) < len("x.") {
			t.Errorf("%s has no description", what)
		}
	}
	for _, definition := range ours(load(t, "*.graphqls")) {
		described(definition.Name, definition.Description)
		for _, value := range definition.EnumValues {
			described(definition.Name+"."+value.Name, value.Description)
		}
		for _, field := range definition.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			described(definition.Name+"."+field.Name, field.Description)
			for _, argument := range field.Arguments {
				described(definition.Name+"."+field.Name+"("+argument.Name+":)", argument.Description)
			}
		}
	}
}
