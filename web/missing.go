package web

import (
	"bytes"
	_ "embed"
	"html/template"
)

//go:embed missing.html
var missing string

// The page is one file, so its styles are in it.
const missingPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// missingPage says how to build the pages of that name.
func missingPage(name string) (*asset, error) {
	page, err := template.New("missing").Parse(missing)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := page.Execute(&text, name); err != nil {
		return nil, err
	}
	file := newAsset("missing.html", text.Bytes())
	file.policy = missingPolicy
	return file, nil
}
