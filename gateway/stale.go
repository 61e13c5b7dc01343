package gateway

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"drydock.dev/drydock/staleness"
)

// extensionStale is the response's extension that names what in it is stale: the last
// known value of an upstream that could not be asked.
const extensionStale = "stale"

// maxStale bounds the paths of one response.
const maxStale = 100

// stale is one entry of the extension.
type stale struct {
	Path       ast.Path `json:"path"`
	AgeSeconds int      `json:"ageSeconds"`
}

// stales collects the stale fields of one response.
type stales struct {
	mu     sync.Mutex
	byPath map[string]stale
}

// told notes that the field of the context shows a stale value; its oldest counts.
func (s *stales) told(ctx context.Context, age time.Duration) {
	entry := stale{Path: graphql.GetPath(ctx), AgeSeconds: int(age.Seconds())}
	if entry.Path == nil {
		entry.Path = ast.Path{} // all of the response
	}
	name := entry.Path.String()
	s.mu.Lock()
	defer s.mu.Unlock()
	held, known := s.byPath[name]
	if known && held.AgeSeconds >= entry.AgeSeconds || !known && len(s.byPath) == maxStale {
		return
	}
	if s.byPath == nil {
		s.byPath = map[string]stale{}
	}
	s.byPath[name] = entry
}

// list is what was told so far, by path.
func (s *stales) list() []stale {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.byPath), func(a, b stale) int { return cmp.Compare(a.Path.String(), b.Path.String()) })
}

// telling makes a response say which of its fields are stale, and how old those are.
func telling(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	var heard stales
	response := next(staleness.With(ctx, heard.told))
	if response == nil {
		return nil
	}
	if list := heard.list(); len(list) > 0 {
		if response.Extensions == nil {
			response.Extensions = map[string]any{}
		}
		response.Extensions[extensionStale] = list
	}
	return response
}
