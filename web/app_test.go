package web

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestApp(t *testing.T) {
	long := strings.Repeat(script, 100)
	files := fstest.MapFS{
		"dist/.keep":                {Data: []byte("kept")},
		"dist/index.html":           {Data: []byte(`<meta name="drydock-sign-in" content=""><title>Drydock</title>`)},
		"dist/icon.svg":             {Data: []byte("<svg/>")},
		"dist/assets/a-1B2c3.js":    {Data: []byte(long)},
		"dist/assets/a-1B2c3.js.br": {Data: []byte("in brotli")},
		"dist/assets/a-1B2c3.js.gz": {Data: zip([]byte(long))},
	}
	handler, err := newApp(files, "dist", SignIn{GitHub: true})
	if err != nil {
		t.Fatal(err)
	}
	page := `<meta name="drydock-sign-in" content="github"><title>Drydock</title>`
	isPage := answer{200, "no-cache", "text/html; charset=utf-8", page}
	isGone := answer{404, "no-store", "text/plain; charset=utf-8", "404 page not found\n"}
	browser := http.Header{"Accept": {"text/html,application/xhtml+xml"}}
	cases := []struct {
		reason, method, path string
		head                 http.Header
		want                 answer
	}{
		{"the root is the page, for anybody", http.MethodGet, "/", nil, isPage},
		{"an address of the app's own, in a browser", http.MethodGet, "/images/hello", browser, isPage},
		{"the same with a dot in it", http.MethodGet, "/builds/v1.2", browser, isPage},
		{"a program that guesses addresses gets no page", http.MethodGet, "/wp-login.php", nil, isGone},
		{"an asset that is gone, even where a browser navigates to it", http.MethodGet, "/assets/gone.js", browser, isGone},
		{"a copy is not a file of the site", http.MethodGet, "/assets/a-1B2c3.js.gz", nil, isGone},
		{"the placeholder is not either", http.MethodGet, "/.keep", nil, isGone},
		{"a hashed file never changes", http.MethodGet, "/assets/a-1B2c3.js", nil, answer{200, forEver, "text/javascript; charset=utf-8", long}},
		{"a file of a fixed name may", http.MethodGet, "/icon.svg", nil, answer{200, "no-cache", "image/svg+xml", "<svg/>"}},
		{
			"brotli where the browser takes it", http.MethodGet, "/assets/a-1B2c3.js", http.Header{"Accept-Encoding": {"gzip, deflate, br, zstd"}},
			answer{200, forEver, "text/javascript; charset=utf-8", "in brotli"},
		},
		{"pages are read", http.MethodPost, "/images/hello", browser, answer{405, "", "text/plain; charset=utf-8", "this page is read with GET\n"}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			if diff := cmp.Diff(c.want, ask(t, handler, c.method, c.path, c.head)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAppPolicy holds that the app may run nothing but its own files, and style itself by nothing else.
func TestAppPolicy(t *testing.T) {
	if strings.Contains(appPolicy, "unsafe") || strings.Contains(appPolicy, "http") || !strings.HasPrefix(appPolicy, "default-src 'none'") {
		t.Errorf("the policy is %q", appPolicy)
	}
}

// TestAppEmbedded holds that what go build embeds is served, whether the app was built or not.
func TestAppEmbedded(t *testing.T) {
	handler, err := App(SignIn{Dev: true})
	if err != nil {
		t.Fatal(err)
	}
	got := ask(t, handler, http.MethodGet, "/", nil)
	if got.Status != 200 || !strings.Contains(got.Body, "Drydock") {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(got.Body, "https://") || strings.Contains(got.Body, "http://") || strings.Contains(got.Body, "<style") {
		t.Errorf("the page names another host, or holds styles: %s", got.Body)
	}
}

// firstPage is how many bytes of compressed JavaScript the first page may take.
const firstPage = 200_000

// TestAppSize holds the first page's scripts, which index.html names, below firstPage as they travel.
func TestAppSize(t *testing.T) {
	found, err := site(app, "app/dist", appPolicy, SignIn{})
	if err != nil {
		t.Fatal(err)
	}
	index, built := found["index.html"]
	if !built {
		t.Skip("the app is not built: run `make web`; the end-to-end tests fail without it")
	}
	sum := 0
	for name, file := range found {
		if strings.HasSuffix(name, ".js") && strings.Contains(string(index.body), name) {
			_, body := file.encoded([]string{"gzip"}) // what every browser takes; brotli is less
			sum += len(body)
		}
	}
	if sum == 0 || sum > firstPage {
		t.Errorf("the first page takes %d bytes of JavaScript, want 1 to %d", sum, firstPage)
	}
	t.Logf("the first page takes %d bytes of JavaScript", sum)
}
