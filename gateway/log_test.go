package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestLogText: a build's log comes as plain text, however long it is, and says what is not kept; what is wrong is told as
// a query would tell it.
func TestLogText(t *testing.T) {
	w := serve(t, nil)
	var whole strings.Builder
	whole.WriteString("[lines 1 to 100 are not kept: the log is longer than what is kept of one]\n")
	for line := 101; line <= 12_000; line++ {
		fmt.Fprintf(&whole, "\x1b[1mline\x1b[0m %d\n", line)
	}
	for _, c := range []struct {
		reason, method, path string
		status               int
		body                 string // all of it, or a part where it is a refusal
		name                 string
	}{
		{"a log of several pages", http.MethodGet, "/builds/long/log.txt", http.StatusOK, whole.String(), `attachment; filename="app-7.log"`},
		{"HEAD tells what it would be", http.MethodHead, "/builds/long/log.txt", http.StatusOK, "", `attachment; filename="app-7.log"`},
		{"no such build", http.MethodGet, "/builds/none/log.txt", http.StatusNotFound, `"NOT_FOUND"`, ""},
	} {
		t.Run(c.reason, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), c.method, w.URL+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			right := string(body) == c.body
			if c.status != http.StatusOK {
				right = strings.Contains(string(body), c.body)
			}
			if response.StatusCode != c.status || !right {
				t.Errorf("status %d, %d bytes: %.200s", response.StatusCode, len(body), body)
			}
			if got := response.Header.Get("Content-Disposition"); got != c.name {
				t.Errorf("it comes as %q, want %q", got, c.name)
			}
			if kind := response.Header.Get("Content-Type"); c.status == http.StatusOK && kind != "text/plain; charset=utf-8" {
				t.Errorf("it is %s", kind)
			}
		})
	}
}
