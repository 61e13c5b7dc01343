package gateway

import (
	"net/http"
	"strings"

	"drydock.dev/drydock/badge"
)

// badgePath is where images' badges are, as badgePath/{login}/{image}.svg.
const badgePath = "/badge"

// badgeAge bounds how old a badge may be in caches: a README's is asked for often.
const badgeAge = "public, max-age=30"

// serveBadge draws how an image is doing, for everybody. One that is not there and one
// that is nobody else's business give the same answer.
func (g *Gateway) serveBadge(w http.ResponseWriter, r *http.Request) {
	state, status := badge.Unknown, http.StatusNotFound
	if image, ok := strings.CutSuffix(r.PathValue("image"), ".svg"); ok {
		if found, public := g.Badge(strings.ToLower(r.PathValue("login")), image); public {
			state, status = found, http.StatusOK
		}
	}
	drawn := g.badges[state]
	header := w.Header()
	header.Set("Cache-Control", badgeAge)
	header.Set("ETag", drawn.ETag)
	header.Set("Cross-Origin-Resource-Policy", "cross-origin") // other sites' pages show it
	if status == http.StatusOK && r.Header.Get("If-None-Match") == drawn.ETag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", "image/svg+xml; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(drawn.SVG) // the client may be gone
}
