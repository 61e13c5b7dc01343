package web

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed all:app/dist
var app embed.FS

// Workers take the policy of their own response, so the assets carry it too. Styles come as files: style attributes that
// scripts set are not style-src's business (https://www.w3.org/TR/CSP3/#directive-style-src).
const appPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; font-src 'self'; " +
	"img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// App serves the single-page app at / and at every address that is one of its own: whatever a browser asks for as a page.
func App(offer SignIn) (http.Handler, error) {
	return newApp(app, "app/dist", offer)
}

// newApp serves the app that was built into dir; files without one get a page that says how to build it.
func newApp(files fs.FS, dir string, offer SignIn) (http.Handler, error) {
	found, err := site(files, dir, appPolicy, offer)
	if err != nil {
		return nil, err
	}
	index, built := found["index.html"]
	if !built {
		if index, err = missingPage("The app"); err != nil {
			return nil, err
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if file, ok := found[name]; ok {
			file.ServeHTTP(w, r)
			return
		}
		// An asset that is gone is gone, also for a browser that was led to it; and other programs asked for no page.
		if strings.HasPrefix(name, "assets/") || name != "" && !strings.Contains(r.Header.Get("Accept"), "text/html") {
			w.Header().Set("Cache-Control", "no-store") // another replica may have it already
			http.NotFound(w, r)
			return
		}
		index.ServeHTTP(w, r)
	}), nil
}
