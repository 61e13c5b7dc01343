// Package form reads the forms of Stripe's clients.
package form

import (
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// Parse turns Stripe's bracketed form into a tree: a[b]=c, a[0][b]=c, a[]=c. A
// list is a tree with numbers for names.
func Parse(values url.Values) map[string]any {
	tree := map[string]any{}
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		for _, value := range values[key] {
			plant(tree, path(key), value)
		}
	}
	return tree
}

// path takes a[b][c] apart.
func path(key string) []string {
	head, rest, _ := strings.Cut(key, "[")
	parts := []string{head}
	for rest != "" {
		part, tail, _ := strings.Cut(rest, "]")
		parts = append(parts, part)
		rest = strings.TrimPrefix(tail, "[")
	}
	return parts
}

func plant(tree map[string]any, path []string, value string) {
	name := path[0]
	if name == "" {
		name = strconv.Itoa(len(tree))
	}
	if len(path) == 1 {
		tree[name] = value
		return
	}
	branch, ok := tree[name].(map[string]any)
	if !ok {
		branch = map[string]any{}
		tree[name] = branch
	}
	plant(branch, path[1:], value)
}
