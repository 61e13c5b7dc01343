package resolvers_test

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// rootField is a field of Query, Mutation or Subscription.
type rootField struct {
	schema    *ast.Schema
	operation ast.Operation
	*ast.FieldDefinition
}

func (f rootField) String() string { return fmt.Sprintf("%s.%s", f.operation, f.Name) }

// rootFields are all of them, what reads before what writes.
func rootFields(schema *ast.Schema) []rootField {
	var fields []rootField
	roots := []struct {
		operation ast.Operation
		*ast.Definition
	}{{ast.Query, schema.Query}, {ast.Subscription, schema.Subscription}, {ast.Mutation, schema.Mutation}}
	for _, root := range roots {
		for _, field := range root.Fields {
			if !strings.HasPrefix(field.Name, "__") {
				fields = append(fields, rootField{schema: schema, operation: root.operation, FieldDefinition: field})
			}
		}
	}
	return fields
}

// place is where a field takes an id or the name of something: an argument, or a
// field of an input object, dotted.
type place struct {
	path string
	kind *ast.Type
}

// isID tells ids from names.
func (p place) isID() bool { return p.kind.Name() == "ID" }

// names are what arguments that name something are called. clientMutationID names
// a change of the caller's own.
var names = map[string]bool{"name": true, "login": true, "account": true, "owner": true, "image": true, "build": true}

// places are where the arguments of a field, at any depth, name something.
func places(schema *ast.Schema, arguments ast.ArgumentDefinitionList) []place {
	var found []place
	for _, argument := range arguments {
		found = append(found, placesIn(schema, argument.Name, argument.Name, argument.Type)...)
	}
	return found
}

func placesIn(schema *ast.Schema, path, name string, kind *ast.Type) []place {
	if kind.Name() == "ID" || kind.Name() == "String" && names[name] {
		return []place{{path: path, kind: kind}}
	}
	var found []place
	if definition := schema.Types[kind.Name()]; definition.Kind == ast.InputObject {
		for _, field := range definition.Fields {
			found = append(found, placesIn(schema, path+"."+field.Name, field.Name, field.Type)...)
		}
	}
	return found
}

// samples are legal values of required arguments by name, so that only what a test
// puts in is wrong. A new required argument needs one here.
var samples = map[string]any{
	"name":        "sample",
	"login":       "sample",
	"repository":  "https://git.example.com/sample.git",
	"destination": "registry.example.com/sample",
	"registry":    "registry.example.com",
	"username":    "sample",
	"password":    "sample",
	"key":         "sample",
	"value":       "sample",
	"url":         "https://192.0.2.1/sample",
}

// operation makes an operation of a field with every required argument, and value
// at each of its places named by path.
func (f rootField) operationWith(values map[string]any) (query string, vars variables, err error) {
	vars = variables{}
	var declared, passed []string
	for _, argument := range f.Arguments {
		value, given, err := f.value(argument.Name, argument.Name, argument.Type, argument.DefaultValue != nil, values)
		if err != nil {
			return "", nil, err
		}
		if !given {
			continue
		}
		vars[argument.Name] = value
		declared = append(declared, fmt.Sprintf("$%s: %s", argument.Name, argument.Type))
		passed = append(passed, fmt.Sprintf("%s: $%s", argument.Name, argument.Name))
	}
	query = string(f.operation)
	if len(declared) > 0 {
		query += " (" + strings.Join(declared, ", ") + ")"
	}
	query += " { " + f.Name
	if len(passed) > 0 {
		query += "(" + strings.Join(passed, ", ") + ")"
	}
	if f.schema.Types[f.Type.Name()].IsCompositeType() {
		query += " { __typename }"
	}
	return query + " }", vars, nil
}

// value is what to send at a path; given is false for what may stay away.
func (f rootField) value(path, name string, kind *ast.Type, defaulted bool, values map[string]any) (value any, given bool, err error) {
	if value, given := values[path]; given {
		if kind.Elem != nil {
			value = []any{value}
		}
		return value, true, nil
	}
	if optional := !kind.NonNull || defaulted; optional && !within(values, path+".") {
		return nil, false, nil
	}
	if definition := f.schema.Types[kind.Name()]; definition.Kind == ast.InputObject {
		return f.object(path, definition, values)
	}
	sample, ok := samples[name]
	if !ok {
		return nil, false, fmt.Errorf("%s(%s:): no sample of a legal value: add one to samples", f, path)
	}
	return sample, true, nil
}

func (f rootField) object(path string, definition *ast.Definition, values map[string]any) (any, bool, error) {
	object := map[string]any{}
	for _, field := range definition.Fields {
		value, given, err := f.value(path+"."+field.Name, field.Name, field.Type, field.DefaultValue != nil, values)
		if err != nil {
			return nil, false, err
		}
		if given {
			object[field.Name] = value
		}
	}
	return object, true, nil
}

// within tells whether a value lies below a path.
func within(values map[string]any, below string) bool {
	for path := range values {
		if strings.HasPrefix(path, below) {
			return true
		}
	}
	return false
}
