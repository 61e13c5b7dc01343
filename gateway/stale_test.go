package gateway_test

import (
	"strings"
	"testing"
)

// TestStale looks at how a response tells which of its values are old.
func TestStale(t *testing.T) {
	w := serve(t, nil)
	tests := []struct{ reason, query, accept, want string }{
		{
			reason: "each field that shows an old value is named, with the oldest age told",
			query:  `{a:image(name:"old"){name} b:image(name:"web"){name} c:image(name:"old"){name}}`,
			want:   `,"extensions":{"stale":[{"path":["a"],"ageSeconds":90},{"path":["c"],"ageSeconds":90}]}}`,
		},
		{
			reason: "a response without old values says nothing",
			query:  `{b:image(name:"web"){name}}`,
			want:   `{"data":{"b":{"name":"web"}}}`,
		},
		{
			reason: "beside errors of other fields",
			query:  `{a:image(name:"old"){name} b:image(name:"missing"){name}}`,
			want:   `"extensions":{"stale":[{"path":["a"],"ageSeconds":90}]}}`,
		},
		{
			reason: "in an event of a stream",
			query:  `{a:image(name:"old"){name}}`, accept: "text/event-stream",
			want: `data: {"data":{"a":{"name":"old"}},"extensions":{"stale":[{"path":["a"],"ageSeconds":90}]}}`,
		},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			got := w.query(t, test.query, "Accept: "+test.accept)
			if !strings.Contains(got.body, test.want) {
				t.Errorf("got  %s\nwant %s", got.body, test.want)
			}
		})
	}
}
