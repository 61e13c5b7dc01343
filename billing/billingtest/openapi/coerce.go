package openapi

import (
	"sort"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

// coerce gives a form's texts the types that a schema wants, where they have them; what
// does not fit stays as it is, for the schema to refuse.
func coerce(schema *openapi3.Schema, value any) any {
	for _, option := range schema.AnyOf {
		coerced := coerce(option.Value, value)
		if option.Value.VisitJSON(coerced) == nil {
			return coerced
		}
	}
	switch v := value.(type) {
	case map[string]any:
		if schema.Type.Is("array") {
			return coerceList(schema, v)
		}
		return coerceObject(schema, v)
	case string:
		return coerceText(schema, v)
	default:
		return value
	}
}

func coerceObject(schema *openapi3.Schema, values map[string]any) any {
	object := make(map[string]any, len(values))
	for name, value := range values {
		object[name] = value
		if property, ok := schema.Properties[name]; ok {
			object[name] = coerce(property.Value, value)
		} else if more := schema.AdditionalProperties.Schema; more != nil {
			object[name] = coerce(more.Value, value)
		}
	}
	return object
}

func coerceList(schema *openapi3.Schema, values map[string]any) any {
	indexes := make([]int, 0, len(values))
	for name := range values {
		index, err := strconv.Atoi(name)
		if err != nil {
			return values
		}
		indexes = append(indexes, index)
	}
	sort.Ints(indexes)
	list := make([]any, len(indexes))
	for i, index := range indexes {
		list[i] = coerce(schema.Items.Value, values[strconv.Itoa(index)])
	}
	return list
}

func coerceText(schema *openapi3.Schema, text string) any {
	switch {
	case schema.Type.Is("integer"), schema.Type.Is("number"):
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n
		}
	case schema.Type.Is("boolean"):
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	}
	return text
}
