package billingtest

import (
	"regexp"
	"strings"
	"time"
)

// indexed is a customer on its way into Search.
type indexed struct {
	customer  object
	visibleAt time.Time
}

// index makes Search see a customer as it is now, once the lag has passed.
func (s *Server) index(customer object, at time.Time) {
	s.indexing = append(s.indexing, indexed{customer: clone(customer), visibleAt: at.Add(s.options.SearchLag)})
}

// settle moves into Search's sight what is due.
func (s *Server) settle(now time.Time) {
	due := 0
	for _, entry := range s.indexing {
		if entry.visibleAt.After(now) {
			break
		}
		due++
		s.searchable.put(text(entry.customer, "id"), entry.customer)
	}
	s.indexing = s.indexing[due:]
}

// put adds or replaces.
func (c *collection) put(id string, o object) {
	if held, ok := c.get(id); ok {
		replace(held, o)
		return
	}
	c.add(id, o)
}

// clause is field:'value' or metadata['key']:'value', perhaps negated
// (https://docs.stripe.com/search#search-query-language).
var clause = regexp.MustCompile(`^(-?)(?:(email|name|phone|description)|metadata\[["']([^"']+)["']\])\s*([:~])\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')`)

var escaped = regexp.MustCompile(`\\(.)`)

func (c *call) searchCustomers() (object, *apiError) {
	query := c.params.required("query")
	limit := c.limit()
	expand := c.params.texts("expand")
	page := c.params.text("page")
	if err := c.params.done(); err != nil {
		return nil, err
	}
	match, err := parseSearch(query)
	if err != nil {
		return nil, err
	}
	c.server.settle(c.at)
	data, more, last, skipping := []any{}, false, "", page != ""
	items := c.server.searchable.Items
	for i := len(items) - 1; i >= 0; i-- {
		customer := items[i]
		if skipping {
			skipping = text(customer, "id") != page
			continue
		}
		if customer["deleted"] == true || !match(customer) {
			continue
		}
		if len(data) == limit {
			more = true
			break
		}
		last = text(customer, "id")
		data = append(data, clone(customer))
	}
	result := object{"object": "search_result", "data": data, "has_more": more, "next_page": nil, "url": "/v1/customers/search"}
	if more {
		result["next_page"] = last
	}
	return result, c.expand(result, expand)
}

// parseSearch reads a query: clauses joined by AND, or by OR, not both.
func parseSearch(query string) (func(object) bool, *apiError) {
	malformed := invalid("query", "", "We were unable to parse your search query: %s", query)
	var clauses []func(object) bool
	joint := ""
	for rest := strings.TrimSpace(query); ; {
		found := clause.FindStringSubmatch(rest)
		if found == nil {
			return nil, malformed
		}
		clauses = append(clauses, matcher(found))
		rest = strings.TrimSpace(rest[len(found[0]):])
		if rest == "" {
			break
		}
		word, tail, _ := strings.Cut(rest, " ")
		if word = strings.ToUpper(word); word != "AND" && word != "OR" || joint != "" && joint != word {
			return nil, malformed
		}
		joint, rest = word, strings.TrimSpace(tail)
	}
	return func(o object) bool {
		for _, matches := range clauses {
			if matches(o) == (joint == "OR") {
				return joint == "OR"
			}
		}
		return joint != "OR"
	}, nil
}

func matcher(found []string) func(object) bool {
	not, field, key, operator := found[1] == "-", found[2], found[3], found[4]
	want := strings.ToLower(escaped.ReplaceAllString(found[5]+found[6], "$1"))
	return func(o object) bool {
		value := text(o, field)
		if key != "" {
			value = text(within(o, "metadata"), key)
		}
		value = strings.ToLower(value)
		matches := value == want
		if operator == "~" {
			matches = strings.Contains(value, want)
		}
		return matches != not
	}
}
