package web

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// sent is an answer as it travels.
type sent struct {
	Status                               int
	Cache, Coding, Vary, ETag, Type, Len string
	Body                                 string
}

// fetch asks over a socket, and takes nothing off that a browser would see.
func fetch(t *testing.T, method, url string, head http.Header) sent {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range head {
		request.Header[name] = values
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := response.Header
	if got.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(got.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%s %s came with %v", method, url, got)
	}
	return sent{
		response.StatusCode, got.Get("Cache-Control"), got.Get("Content-Encoding"), got.Get("Vary"), got.Get("ETag"),
		got.Get("Content-Type"), got.Get("Content-Length"), string(body),
	}
}

// TestServed holds how files travel: compressed as the client takes it, kept for ever or asked for again, and not sent twice.
func TestServed(t *testing.T) {
	long := strings.Repeat(script, 100)
	handler, err := newApp(fstest.MapFS{
		"dist/index.html":           {Data: []byte("<title>Drydock</title>")},
		"dist/assets/a-1B2c3.js":    {Data: []byte(long)},
		"dist/assets/a-1B2c3.js.br": {Data: []byte("in brotli")},
		"dist/assets/a-1B2c3.js.gz": {Data: []byte("in gzip")},
		"dist/assets/b-1B2c3.js":    {Data: []byte(script)},
	}, "dist", SignIn{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	asset, index := server.URL+"/assets/a-1B2c3.js", server.URL+"/images/hello"
	page := http.Header{"Accept": {"text/html"}}
	taking := func(codings string) http.Header { return http.Header{"Accept-Encoding": {codings}} }
	plain := fetch(t, http.MethodGet, asset, nil).ETag
	brotli := fetch(t, http.MethodGet, asset, taking("br")).ETag
	html := fetch(t, http.MethodGet, index, page).ETag
	if plain == "" || plain == brotli || html == "" {
		t.Errorf("the tags are %q plain, %q in brotli, %q of the page: each is another representation", plain, brotli, html)
	}

	const js, vary = "text/javascript; charset=utf-8", "Accept-Encoding"
	script2100 := sent{200, forEver, "", vary, plain, js, "2100", long}
	inBrotli := sent{200, forEver, "br", vary, brotli, js, "9", "in brotli"}
	cases := []struct {
		reason, method, url string
		head                http.Header
		want                sent
	}{
		{"plain for who takes nothing else", http.MethodGet, asset, nil, script2100},
		{"brotli before gzip, wherever it stands", http.MethodGet, asset, taking("gzip, deflate, br, zstd"), inBrotli},
		{"gzip where brotli is refused", http.MethodGet, asset, taking("br;q=0, gzip"), sent{200, forEver, "gzip", vary, strings.TrimSuffix(plain, `"`) + `gzip"`, js, "7", "in gzip"}},
		{"a coding whose name only holds br", http.MethodGet, asset, taking("sbr, x-gzip"), script2100},
		{"both refused", http.MethodGet, asset, taking("br; q=0.0, gzip;q=0"), script2100},
		{"a low weight is no refusal", http.MethodGet, asset, taking("br;q=0.01"), inBrotli},
		{"the head tells the length", http.MethodHead, asset, taking("br"), sent{200, forEver, "br", vary, brotli, js, "9", ""}},
		{"what the client has is not sent again", http.MethodGet, asset, http.Header{"Accept-Encoding": {"br"}, "If-None-Match": {brotli}}, sent{304, forEver, "", vary, brotli, "", "", ""}},
		{"also as one of several, by its weak tag", http.MethodGet, asset, http.Header{"If-None-Match": {`"other", W/` + plain}}, sent{304, forEver, "", vary, plain, "", "", ""}},
		{"another coding is another thing", http.MethodGet, asset, http.Header{"If-None-Match": {brotli}}, script2100},
		{"the page is asked for again each time", http.MethodGet, index, page, sent{200, "no-cache", "", "", html, "text/html; charset=utf-8", "22", "<title>Drydock</title>"}},
		{"and not sent where it is the same", http.MethodGet, index, http.Header{"Accept": {"text/html"}, "If-None-Match": {html}}, sent{304, "no-cache", "", "", html, "", "", ""}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			if diff := cmp.Diff(c.want, fetch(t, c.method, c.url, c.head)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAppWithoutNode holds that this package compiles as it is checked out, before anything was bundled, and what its pages say then.
func TestAppWithoutNode(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	bundled := map[string]string{} // each of the bundles' files is replaced by none
	for _, pattern := range []string{"*/dist/*", "*/dist/*/*"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if info, err := os.Stat(name); err == nil && !info.IsDir() && filepath.Base(name) != ".keep" {
				bundled[filepath.Join(here, name)] = ""
			}
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": bundled})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-overlay", overlay, "-run", "^TestPagesSayHow$", ".")
	tests.Env = append(os.Environ(), "WITHOUT_NODE=1")
	if out, err := tests.CombinedOutput(); err != nil {
		t.Errorf("without bundles: %v\n%s", err, out)
	}
}

// TestPagesSayHow is what TestAppWithoutNode looks at in the binary without bundles: both pages say how to build them.
func TestPagesSayHow(t *testing.T) {
	if os.Getenv("WITHOUT_NODE") == "" {
		return // with bundles there is nothing to say
	}
	for path, page := range map[string]func(SignIn) (http.Handler, error){"/": App, "/graphiql": GraphiQL} {
		handler, err := page(SignIn{})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(handler)
		got := fetch(t, http.MethodGet, server.URL+path, http.Header{"Accept": {"text/html"}})
		server.Close()
		if got.Status != 200 || got.Cache != "no-cache" || !strings.Contains(got.Body, "make web") || !strings.Contains(got.Body, "Node.js") {
			t.Errorf("%s answers %+v", path, got)
		}
	}
}
