package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
)

// maxCauses bounds how many causes of one record are logged.
const maxCauses = 3

// record is what the log line of one request, or of one operation on a WebSocket,
// will tell.
type record struct {
	requestID string
	started   time.Time
	route     string
	viewer    string
	// token is the ID of the access token that asks; empty without one.
	token string
	// stream tells that the answer lasts as long as its reader wants.
	stream bool

	mu sync.Mutex
	// kind and name are the operation's.
	kind, name string
	codes      []string
	causes     int
}

type recordKey struct{}

// recordOf is the record of a context; a new one, that nobody reads, without any.
func recordOf(ctx context.Context) *record {
	if r, ok := ctx.Value(recordKey{}).(*record); ok {
		return r
	}
	return &record{}
}

// signedIn notes who asks.
func (r *record) signedIn(viewer auth.Viewer) {
	r.viewer, r.token = viewer.Login, ""
	if viewer.Token != nil {
		r.token = viewer.Token.ID
	}
}

// operation notes which operation runs.
func (r *record) operation(oc *graphql.OperationContext) {
	if oc == nil || oc.Operation == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kind, r.name = string(oc.Operation.Operation), clip(oc.Operation.Name)
}

// code notes a failure's code, each one once.
func (r *record) code(code string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.codes, code) && len(r.codes) < 10 {
		r.codes = append(r.codes, code)
	}
}

// cause tells whether one more cause may be logged.
func (r *record) cause() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.causes++
	return r.causes <= maxCauses
}

// outcome is the first code, OK without any.
func (r *record) outcome() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.codes) == 0 {
		return "OK"
	}
	return r.codes[0]
}

// attributes are the record's part of the log line.
func (r *record) attributes(took time.Duration) []slog.Attr {
	r.mu.Lock()
	defer r.mu.Unlock()
	attributes := []slog.Attr{slog.String("requestId", r.requestID), slog.Float64("seconds", took.Seconds())}
	if r.viewer != "" {
		attributes = append(attributes, slog.String("viewer", r.viewer))
	}
	if r.token != "" {
		attributes = append(attributes, slog.String("token", r.token))
	}
	if r.kind != "" {
		attributes = append(attributes, slog.String("operationType", r.kind), slog.String("operation", r.name))
	}
	if len(r.codes) > 0 {
		attributes = append(attributes, slog.Any("codes", slices.Clone(r.codes)))
	}
	return attributes
}

// level of the log line: what is ours to mend stands out.
func (r *record) level(status int) slog.Level {
	r.mu.Lock()
	defer r.mu.Unlock()
	if status >= http.StatusInternalServerError || slices.Contains(r.codes, string(fault.Internal)) {
		return slog.LevelError
	}
	if slices.Contains(r.codes, string(fault.Unavailable)) || slices.Contains(r.codes, string(fault.Timeout)) {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// finish writes the one log line of a request, and its metrics.
func (g *Gateway) finish(ctx context.Context, record *record, r *http.Request, answer *answer, counts []slog.Attr) {
	took := g.Now().Sub(record.started)
	status := answer.status
	if status == 0 {
		status = http.StatusOK
	}
	attributes := append(record.attributes(took),
		slog.String("method", r.Method), slog.String("route", record.route), slog.String("path", clip(r.URL.Path)),
		slog.Int("status", status), slog.Int64("bytes", answer.bytes))
	level := record.level(status)
	if record.route == "/livez" || record.route == "/readyz" || record.route == "/metrics" {
		level = slog.LevelDebug // asked every few seconds; a change of readiness is logged by who changes
	}
	g.Log.LogAttrs(ctx, level, "request", append(attributes, counts...)...)
	g.metrics.requests.WithLabelValues(record.route, method(r.Method), strconv.Itoa(status)).Inc()
	if !record.stream {
		g.metrics.requestSeconds.WithLabelValues(record.route).Observe(took.Seconds())
	}
}

// method bounds the values of a label: methods are whatever clients make up.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return name
	}
	return "other"
}

func clip(text string) string {
	if len(text) > 200 {
		return text[:200]
	}
	return text
}
