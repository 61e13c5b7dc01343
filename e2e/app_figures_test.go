package e2e

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// firstPage is how many bytes of JavaScript the first page may take, as they travel.
const firstPage = 200_000

// tellFigures writes down how the present page loaded: the times depend on the machine. bench measures more of it.
func (v *visitor) tellFigures(page string) {
	v.t.Helper()
	f, err := v.Figures(within(v.t, patience))
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Logf("%s: first contentful paint %s, total blocking time %s, %d bytes of JavaScript, %d in all", page, f.FirstPaint, f.Blocked, f.Scripts, f.All)
}

// checkFirstPage holds that the scripts which the browser has asked for are below firstPage, in whatever way they are compressed.
func (v *visitor) checkFirstPage() {
	v.t.Helper()
	for _, coding := range []string{"gzip", "br"} {
		sum := 0
		for _, script := range v.scripts() {
			body := fetch(v.t, script, coding)
			sum += len(body)
		}
		v.t.Logf("the first page takes %d bytes of JavaScript by %s", sum, coding)
		if sum == 0 || sum > firstPage {
			v.t.Errorf("the first page takes %d bytes of JavaScript by %s, want 1 to %d", sum, coding, firstPage)
		}
	}
}

// checkChunk holds that a part of the app, which words of its own tell, is among the scripts so far where it was shown, and only there.
func (v *visitor) checkChunk(part, words string, shown bool) {
	v.t.Helper()
	loaded := slices.ContainsFunc(v.scripts(), func(script string) bool {
		return strings.Contains(string(fetch(v.t, script, "identity")), words)
	})
	if loaded != shown {
		v.t.Errorf("%s: loaded %t, shown %t", part, loaded, shown)
	}
}

// scripts are the scripts that the browser asked for.
func (v *visitor) scripts() []string {
	scripts := slices.DeleteFunc(v.Requests(), func(url string) bool { return !strings.HasSuffix(url, ".js") })
	slices.Sort(scripts)
	return slices.Compact(scripts)
}

// fetch reads a file as it travels in a coding, which small files need not be in.
func fetch(t *testing.T, url, coding string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t, patience), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", coding)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s (%v)", url, response.Status, err)
	}
	if got := response.Header.Get("Content-Encoding"); got != coding && coding != "identity" && len(body) > 1024 {
		t.Errorf("%s comes in %q, want %q", url, got, coding)
	}
	return body
}
