package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const script = "console.log('hello');"

func TestExplorer(t *testing.T) {
	long := strings.Repeat(script, 100)
	files := fstest.MapFS{
		"dist/.keep":             {Data: []byte("kept")},
		"dist/index.html":        {Data: []byte(`<meta name="drydock-sign-in" content=""><title>GraphiQL</title>`)},
		"dist/assets/a-1B2c3.js": {Data: []byte(script)},
		"dist/assets/b-1B2c3.js": {Data: []byte(long)},
	}
	handler, err := newExplorer(files, "dist", SignIn{Dev: true, GitHub: true})
	if err != nil {
		t.Fatal(err)
	}
	page := `<meta name="drydock-sign-in" content="dev github"><title>GraphiQL</title>`
	cases := []struct {
		reason, method, path string
		want                 answer
	}{
		{"the page itself", http.MethodGet, "/graphiql", answer{200, "no-cache", "text/html; charset=utf-8", page}},
		{"the folder is the page too", http.MethodGet, "/graphiql/", answer{200, "no-cache", "text/html; charset=utf-8", page}},
		{"a hashed file never changes", http.MethodGet, "/graphiql/assets/a-1B2c3.js", answer{200, forEver, "text/javascript; charset=utf-8", script}},
		{"a long file comes zipped, and whole", http.MethodGet, "/graphiql/assets/b-1B2c3.js", answer{200, forEver, "text/javascript; charset=utf-8", long}},
		{"the head alone", "HEAD", "/graphiql", answer{200, "no-cache", "text/html; charset=utf-8", ""}},
		{"a file that is not there", http.MethodGet, "/graphiql/assets/gone.js", answer{404, "", "text/plain; charset=utf-8", "404 page not found\n"}},
		{"the placeholder is not a file of the site", http.MethodGet, "/graphiql/.keep", answer{404, "", "text/plain; charset=utf-8", "404 page not found\n"}},
		{"pages are read", "POST", "/graphiql", answer{405, "", "text/plain; charset=utf-8", "this page is read with GET\n"}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			if diff := cmp.Diff(c.want, ask(t, handler, c.method, c.path, nil)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExplorerNotModified(t *testing.T) {
	files := fstest.MapFS{"dist/index.html": {Data: []byte("<title>GraphiQL</title>")}}
	handler, err := newExplorer(files, "dist", SignIn{})
	if err != nil {
		t.Fatal(err)
	}
	first := httptest.NewRecorder()
	handler.ServeHTTP(first, httptest.NewRequest(http.MethodGet, "/graphiql", nil))
	again := ask(t, handler, http.MethodGet, "/graphiql", http.Header{"If-None-Match": {first.Header().Get("ETag")}})
	if diff := cmp.Diff(answer{304, "no-cache", "", ""}, again); diff != "" {
		t.Error(diff)
	}
}

func TestExplorerMissing(t *testing.T) {
	handler, err := newExplorer(fstest.MapFS{"dist/.keep": {}}, "dist", SignIn{})
	if err != nil {
		t.Fatal(err)
	}
	got := ask(t, handler, http.MethodGet, "/graphiql", nil)
	if got.Status != 200 || got.Cache != "no-cache" || !strings.Contains(got.Body, "make web") {
		t.Errorf("a gateway without its pages must say how to build them; got %+v", got)
	}
}

// TestEmbedded holds that what go build embeds is served, whether the pages were built or not.
func TestEmbedded(t *testing.T) {
	handler, err := GraphiQL(SignIn{})
	if err != nil {
		t.Fatal(err)
	}
	got := ask(t, handler, http.MethodGet, "/graphiql", nil)
	if got.Status != 200 || !strings.Contains(got.Body, "GraphiQL") {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(got.Body, "//") && strings.Contains(got.Body, "http") {
		t.Errorf("the page names another host: %s", got.Body)
	}
}

type answer struct {
	Status      int
	Cache, Type string
	Body        string
}

// ask sends a request as a browser would, takes off gzip, and holds that a page forbids other origins.
func ask(t *testing.T, handler http.Handler, method, path string, head http.Header) answer {
	t.Helper()
	request := httptest.NewRequest(method, path, nil)
	request.Header.Set("Accept-Encoding", "gzip")
	for name, values := range head {
		request.Header[name] = values
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	response := recorder.Result()
	defer func() { _ = response.Body.Close() }()
	policy := response.Header.Get("Content-Security-Policy")
	if response.StatusCode == http.StatusOK && !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("Content-Security-Policy is %q", policy)
	}
	body := io.Reader(response.Body)
	if response.Header.Get("Content-Encoding") == "gzip" && method != http.MethodHead {
		zipped, err := gzip.NewReader(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		body = zipped
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header.Get("Cache-Control"), response.Header.Get("Content-Type"), string(text)}
}
