package web

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed all:graphiql/dist
var explorer embed.FS

//go:embed missing.html
var missing []byte

// The editor colors its text with style elements and draws its icons from data URLs; all else comes from this origin.
// Workers take the policy of their own response, so the assets carry it too.
const explorerPolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// GraphiQL serves the explorer at /graphiql and its files below /graphiql/.
func GraphiQL(offer SignIn) (http.Handler, error) {
	return newExplorer(explorer, "graphiql/dist", offer)
}

// newExplorer serves the explorer that was built into dir; files without one get a page that says how to build it.
func newExplorer(files fs.FS, dir string, offer SignIn) (http.Handler, error) {
	found, err := assets(files, dir)
	if err != nil {
		return nil, err
	}
	index, built := found["index.html"]
	if !built {
		page := newAsset("missing.html", missing)
		page.policy = homePolicy
		return page, nil
	}
	for name, file := range found {
		file.policy = explorerPolicy
		if strings.HasPrefix(name, "assets/") {
			file.cache = forEver
		}
	}
	found["index.html"] = index.offering(offer)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/graphiql"), "/")
		if name == "" {
			name = "index.html"
		}
		file, ok := found[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		file.ServeHTTP(w, r)
	}), nil
}

// offering is the page with the ways to sign in written into it.
func (a *asset) offering(offer SignIn) *asset {
	const place = `<meta name="drydock-sign-in" content="`
	text := strings.Replace(string(a.body), place, place+offer.ways(), 1)
	page := newAsset("index.html", []byte(text))
	page.policy = a.policy
	return page
}
