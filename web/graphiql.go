package web

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed all:graphiql/dist
var explorer embed.FS

// The editor colors its text with style elements and draws its icons from data URLs; all else comes from this origin.
const explorerPolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// GraphiQL serves the explorer at /graphiql and its files below /graphiql/.
func GraphiQL(offer SignIn) (http.Handler, error) {
	return newExplorer(explorer, "graphiql/dist", offer)
}

// newExplorer serves the explorer that was built into dir; files without one get a page that says how to build it.
func newExplorer(files fs.FS, dir string, offer SignIn) (http.Handler, error) {
	found, err := site(files, dir, explorerPolicy, offer)
	if err != nil {
		return nil, err
	}
	if _, built := found["index.html"]; !built {
		return missingPage("GraphiQL")
	}
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
