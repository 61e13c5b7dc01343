package billingtest

import (
	"slices"
	"sort"
	"strconv"
)

// params reads a request's parameters, remembers the first thing wrong with them, and
// knows in the end which of them nobody asked for.
type params struct {
	prefix string
	values map[string]any
	used   map[string]bool
	// failure is shared by the parameters within these.
	failure **apiError
}

func newParams(values map[string]any) *params {
	var failure *apiError
	return &params{values: values, used: map[string]bool{}, failure: &failure}
}

func (p *params) fail(e *apiError) {
	if *p.failure == nil {
		*p.failure = e
	}
}

// name is the parameter as the client wrote it.
func (p *params) name(name string) string {
	if p.prefix == "" {
		return name
	}
	return p.prefix + "[" + name + "]"
}

func (p *params) has(name string) bool {
	p.used[name] = true
	_, ok := p.values[name]
	return ok
}

func (p *params) text(name string) string {
	if !p.has(name) {
		return ""
	}
	text, ok := p.values[name].(string)
	if !ok {
		p.fail(invalid(p.name(name), "", "Invalid string: %s", p.name(name)))
	}
	return text
}

func (p *params) required(name string) string {
	text := p.text(name)
	if text == "" {
		p.fail(required(p.name(name)))
	}
	return text
}

func (p *params) oneOf(name string, values ...string) string {
	text := p.text(name)
	if text != "" && !slices.Contains(values, text) {
		p.fail(invalid(p.name(name), "", "Invalid %s: must be one of %v", p.name(name), values))
	}
	return text
}

func (p *params) integer(name string) int64 {
	text := p.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.fail(invalid(p.name(name), "parameter_invalid_integer", "Invalid integer: %s", text))
	}
	return n
}

func (p *params) boolean(name string) bool {
	text := p.text(name)
	if text != "" && text != "true" && text != "false" {
		p.fail(invalid(p.name(name), "", "Invalid boolean: %s", text))
	}
	return text == "true"
}

// within reads a parameter that holds parameters; nil where absent.
func (p *params) within(name string) *params {
	if !p.has(name) {
		return nil
	}
	branch, ok := p.values[name].(map[string]any)
	if !ok {
		p.fail(invalid(p.name(name), "", "Invalid object: %s", p.name(name)))
		return nil
	}
	return &params{prefix: p.name(name), values: branch, used: map[string]bool{}, failure: p.failure}
}

// list reads a parameter that holds a list, in its order.
func (p *params) list(name string) []*params {
	branch := p.within(name)
	if branch == nil {
		return nil
	}
	var items []*params
	for _, index := range branch.indexes() {
		if item := branch.within(index); item != nil {
			items = append(items, item)
		}
	}
	return items
}

// texts reads a parameter that holds a list of strings.
func (p *params) texts(name string) []string {
	branch := p.within(name)
	if branch == nil {
		return nil
	}
	var texts []string
	for _, index := range branch.indexes() {
		texts = append(texts, branch.text(index))
	}
	return texts
}

func (p *params) indexes() []string {
	names := make([]string, 0, len(p.values))
	for name := range p.values {
		if _, err := strconv.Atoi(name); err != nil {
			p.fail(invalid(p.prefix, "", "Invalid array"))
			return nil
		}
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		a, _ := strconv.Atoi(names[i])
		b, _ := strconv.Atoi(names[j])
		return a < b
	})
	return names
}

// done tells what was wrong, unread parameters included.
func (p *params) done() *apiError {
	if *p.failure != nil {
		return *p.failure
	}
	for name := range p.values {
		if !p.used[name] {
			return invalid(p.name(name), "parameter_unknown", "Received unknown parameter: %s", p.name(name))
		}
	}
	return nil
}

// The limits of metadata (https://docs.stripe.com/api/metadata).
const (
	metadataKeys   = 50
	metadataKey    = 40
	metadataLength = 500
)

// metadata merges the request's metadata into what is held: an empty value unsets a
// key, empty metadata unsets all.
func (p *params) metadata(held object) object {
	merged := object{}
	if !p.has("metadata") {
		return clone(held)
	}
	if text, ok := p.values["metadata"].(string); ok && text == "" {
		return merged
	}
	for key, value := range held {
		merged[key] = value
	}
	given := p.within("metadata")
	if given == nil {
		return merged
	}
	for key := range given.values {
		value := given.text(key)
		switch {
		case value == "":
			delete(merged, key)
		case len(key) > metadataKey:
			p.fail(invalid("metadata", "", "Invalid metadata: key '%s' is longer than %d characters", key, metadataKey))
		case len(value) > metadataLength:
			p.fail(invalid("metadata["+key+"]", "", "Invalid string: must be at most %d characters", metadataLength))
		default:
			merged[key] = value
		}
	}
	if len(merged) > metadataKeys {
		p.fail(invalid("metadata", "", "Metadata can have at most %d keys", metadataKeys))
	}
	return merged
}
