package web

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
)

//go:embed home.html
var home string

const homePolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Home serves the landing page: what this is, where to go, how to sign in.
func Home(offer SignIn) (http.Handler, error) {
	page, err := template.New("home").Parse(home)
	if err != nil {
		return nil, fmt.Errorf("landing page: %w", err)
	}
	var text bytes.Buffer
	if err := page.Execute(&text, offer); err != nil {
		return nil, fmt.Errorf("landing page: %w", err)
	}
	file := newAsset("home.html", text.Bytes())
	file.policy = homePolicy
	return file, nil
}
