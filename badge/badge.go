package badge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"text/template"
)

// State is what a badge says of an image.
type State string

// The states of a badge.
const (
	// Passing: the newest build that ended of itself pushed every tag.
	Passing State = "passing"
	// Failing: it failed.
	Failing State = "failing"
	// Building: the newest build is queued or runs.
	Building State = "building"
	// Unknown: there is no such build, or no image whose badge everybody may see.
	Unknown State = "unknown"
)

// Badge is a picture and what tells it from others.
type Badge struct {
	// SVG is the picture.
	SVG []byte
	// ETag is a strong validator of it (RFC 9110, section 8.8.3).
	ETag string
}

// Badges are the badges of all states.
type Badges map[State]Badge

// look is how a state is drawn: a colour on which white text has a contrast of 4.5 at
// least (WCAG 2.2, success criterion 1.4.3), and its half's width in pixels.
type look struct {
	State         State
	Colour        string
	Width, Length int
}

// svg has the word "build" on 37 pixels; lengths of texts keep them in their halves,
// whatever font there is.
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="{{.Total}}" height="20" role="img" aria-label="build: {{.State}}">` +
	`<title>build: {{.State}}</title>` +
	`<clipPath id="r"><rect width="{{.Total}}" height="20" rx="3"/></clipPath>` +
	`<g clip-path="url(#r)"><rect width="37" height="20" fill="#555"/><rect x="37" width="{{.Width}}" height="20" fill="{{.Colour}}"/></g>` +
	`<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">` +
	`<text x="19" y="14" textLength="27">build</text><text x="{{.Middle}}" y="14" textLength="{{.Length}}">{{.State}}</text></g></svg>
`

// Total is the badge's width.
func (l look) Total() int { return 37 + l.Width }

// Middle is the middle of the state's half.
func (l look) Middle() int { return 36 + l.Width/2 }

// Draw draws all badges.
func Draw() (Badges, error) {
	picture, err := template.New("badge").Parse(svg)
	if err != nil {
		return nil, err
	}
	all := Badges{}
	for _, l := range []look{
		{Passing, "#2e7d32", 51, 41}, {Failing, "#c62828", 45, 35}, {Building, "#1565c0", 55, 45}, {Unknown, "#616161", 61, 51},
	} {
		var drawn bytes.Buffer
		if err := picture.Execute(&drawn, l); err != nil {
			return nil, err
		}
		sum := sha256.Sum256(drawn.Bytes())
		all[l.State] = Badge{SVG: drawn.Bytes(), ETag: `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return all, nil
}
