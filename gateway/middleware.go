package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"drydock.dev/drydock/fault"
)

// answerTime is how long an answer may take to reach a client after the deadline of
// its operation.
const answerTime = 30 * time.Second

// saneID is a request id that may be taken over from a proxy.
var saneID = regexp.MustCompile(`^[A-Za-z0-9._:/+=-]{1,128}$`)

// recorded gives a request its id and its record, survives its panic, and writes its
// log line and metrics.
func (g *Gateway) recorded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !saneID.MatchString(id) {
			id = newID()
		}
		w.Header().Set("X-Request-Id", id)
		record := &record{requestID: id, started: g.Now(), route: "other"}
		ctx := context.WithValue(r.Context(), recordKey{}, record)
		counts := func() []slog.Attr { return nil }
		if g.Count != nil {
			ctx, counts = g.Count(ctx)
		}
		answer := &answer{ResponseWriter: w}
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Now().Add(g.Limits.Timeout + answerTime))
		if r.ContentLength != 0 { // also where nobody reads the body: the server does, before it ends the answer
			_ = control.SetReadDeadline(time.Now().Add(g.Limits.BodyTime))
		}
		defer func() {
			failure := recover()
			if failure != nil {
				g.panicked(ctx, record, answer, failure)
			}
			g.finish(ctx, record, r, answer, counts())
			if failure != nil && answer.bytes > 0 && !answer.whole {
				panic(http.ErrAbortHandler) // what was sent is not whole: break the connection off
			}
		}()
		next.ServeHTTP(answer, r.WithContext(ctx))
	})
}

// panicked logs a panic and, where nothing was sent yet, answers it.
func (g *Gateway) panicked(ctx context.Context, record *record, answer *answer, failure any) {
	if failure == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		return
	}
	g.Log.ErrorContext(ctx, "panic", "requestId", record.requestID, "panic", fmt.Sprint(failure), "stack", string(debug.Stack()))
	record.code(string(fault.Internal))
	if answer.status == 0 {
		refuse(answer, http.StatusInternalServerError, string(fault.Internal), fault.Wrap(fault.Internal, nil).Public())
		answer.whole = true
	}
}

// secured sets the headers that every answer has. Pages set a policy of their own.
func (g *Gateway) secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		if g.PublicURL.Scheme == "https" {
			header.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// refuseOrigin answers a request that another site's page sent.
func refuseOrigin(w http.ResponseWriter, r *http.Request) {
	recordOf(r.Context()).code(string(fault.Forbidden))
	refuse(w, http.StatusForbidden, string(fault.Forbidden), "Requests from pages of other sites are not allowed.")
}

func newID() string {
	id := make([]byte, 12)
	_, _ = rand.Read(id) // never fails: crypto/rand
	return hex.EncodeToString(id)
}

// answer remembers the status and size of a response.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
	// whole tells that nothing is missing, although the handler panicked.
	whole bool
}

// WriteHeader notes the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
