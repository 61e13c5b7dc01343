// Package openapi holds requests and responses against Stripe's own OpenAPI
// description, which the module github.com/stripe/stripe-mock embeds. It is for tests
// alone: the description is large.
package openapi

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stripe/stripe-mock/embedded"

	"drydock.dev/drydock/billing/billingtest/form"
)

// Description is what Stripe says of its API.
type Description struct {
	operations []operation
}

// operation is a method of a path template.
type operation struct {
	method  string
	path    *regexp.Regexp
	literal int
	*openapi3.Operation
}

var placeholder = regexp.MustCompile(`\{[^}]+\}`)

// Load reads what concerns us of the embedded description.
func Load() (*Description, error) {
	text, err := excerpt(embedded.OpenAPISpec)
	if err != nil {
		return nil, err
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	d := &Description{}
	for template, item := range document.Paths.Map() {
		pattern := regexp.MustCompile("^" + placeholder.ReplaceAllString(template, "[^/]+") + "$")
		for method, described := range item.Operations() {
			d.operations = append(d.operations, operation{method, pattern, len(placeholder.ReplaceAllString(template, "")), described})
		}
	}
	return d, nil
}

// find is the operation of a request: of several templates that fit the most literal.
func (d *Description) find(method, path string) (operation, bool) {
	best, found := operation{}, false
	for _, o := range d.operations {
		if o.method == method && o.path.MatchString(path) && (!found || o.literal > best.literal) {
			best, found = o, true
		}
	}
	return best, found
}

// Request tells what is wrong with a request; body is its form.
func (d *Description) Request(r *http.Request, body []byte) error {
	o, ok := d.find(r.Method, r.URL.Path)
	if !ok {
		return fmt.Errorf("%s %s: not described", r.Method, r.URL.Path)
	}
	if err := o.checkQuery(r.URL.Path, form.Parse(r.URL.Query())); err != nil {
		return fmt.Errorf("%s %s: query: %w", r.Method, r.URL.Path, err)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return nil
	}
	if o.RequestBody == nil {
		return fmt.Errorf("%s %s: a body where none is described", r.Method, r.URL.Path)
	}
	schema := o.RequestBody.Value.Content.Get("application/x-www-form-urlencoded").Schema.Value
	if err := schema.VisitJSON(coerce(schema, form.Parse(values))); err != nil {
		return fmt.Errorf("%s %s: body: %w", r.Method, r.URL.Path, err)
	}
	return nil
}

func (o operation) checkQuery(path string, query map[string]any) error {
	for _, parameter := range o.Parameters {
		p := parameter.Value
		if p.In != "query" {
			continue
		}
		value, given := query[p.Name]
		delete(query, p.Name)
		if !given {
			if p.Required {
				return fmt.Errorf("%s is missing", p.Name)
			}
			continue
		}
		if added(path, p.Name, value) {
			continue
		}
		if err := p.Schema.Value.VisitJSON(coerce(p.Schema.Value, value)); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	for name := range query {
		return fmt.Errorf("%s is not described", name)
	}
	return nil
}

// Response tells what is wrong with the answer to a request.
func (d *Description) Response(r *http.Request, status int, body any) error {
	o, ok := d.find(r.Method, r.URL.Path)
	if !ok {
		return fmt.Errorf("%s %s: not described", r.Method, r.URL.Path)
	}
	response := o.Responses.Status(status)
	if response == nil {
		response = o.Responses.Default()
	}
	schema := response.Value.Content.Get("application/json").Schema.Value
	if err := schema.VisitJSON(settle(body)); err != nil {
		return fmt.Errorf("%s %s: %d: %w", r.Method, r.URL.Path, status, err)
	}
	return nil
}
