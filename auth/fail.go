package auth

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strings"

	"drydock.dev/drydock/fault"
)

// statuses are the HTTP statuses of failures; what is not here is 500.
var statuses = map[fault.Kind]int{
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.BadUserInput:    http.StatusBadRequest,
	fault.AlreadyExists:   http.StatusConflict,
	fault.Conflict:        http.StatusConflict,
	fault.LimitExceeded:   http.StatusForbidden,
	fault.RateLimited:     http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Timeout:         http.StatusGatewayTimeout,
}

// failPage tells people why they are not signed in. It needs nothing of the app, and no style.
const failPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Not signed in · Drydock</title></head>
<body><main><h1>Not signed in</h1><p>%s</p><p><a href="/">Sign in again</a></p></main></body></html>
`

// StatusOf is the HTTP status that answers a failure to tell who is asking.
func StatusOf(err error) int {
	if status, known := statuses[fault.KindOf(err)]; known {
		return status
	}
	return http.StatusInternalServerError
}

// fail answers a failure: its public words to the browser, its cause to the log.
func (s *SignIn) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.failStatus(w, r, StatusOf(err), err)
}

func (s *SignIn) failStatus(w http.ResponseWriter, r *http.Request, status int, err error) {
	s.Log.WarnContext(r.Context(), "sign-in failed", "path", r.URL.Path, "status", status, "error", err.Error())
	words := fault.PublicOf(err)
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, failPage, html.EscapeString(words))
		return
	}
	writeJSON(w, status, map[string]any{"error": words, "code": fault.KindOf(err)})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a client that is gone needs no answer
}
