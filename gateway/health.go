package gateway

import (
	"encoding/json"
	"net/http"
	"runtime"

	"drydock.dev/drydock/fault"
)

// Check is a part that the gateway needs.
type Check interface {
	// Ready is nil when the part can serve, else it says what is missing.
	Ready() error
	// Details tell more about the part, for operators.
	Details() map[string]any
}

// livez says that the process serves.
func livez(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

type part struct {
	Ready   bool           `json:"ready"`
	Missing string         `json:"missing,omitempty"`
	Details map[string]any `json:"details,omitempty"`
}

type readiness struct {
	Ready    bool            `json:"ready"`
	Draining bool            `json:"draining,omitempty"`
	Parts    map[string]part `json:"parts"`
	Process  map[string]any  `json:"process,omitempty"`
}

// readyz says what is ready and what is not: 200 when requests may come, else 503.
// ?verbose adds what is known of the process.
func (g *Gateway) readyz(w http.ResponseWriter, r *http.Request) {
	all := readiness{Ready: true, Draining: g.streams.isDraining(), Parts: map[string]part{}}
	for name, check := range g.Checks {
		state := part{Ready: true, Details: check.Details()}
		if err := check.Ready(); err != nil {
			state.Ready, state.Missing = false, missing(err)
			all.Ready = false
		}
		all.Parts[name] = state
	}
	if all.Draining {
		all.Ready = false
	}
	if r.URL.Query().Has("verbose") {
		all.Process = g.process()
	}
	w.Header().Set("Content-Type", "application/json")
	if !all.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(all) // a client that is gone needs no answer
}

// justBegun is what a client is told that would follow something too early.
const justBegun = "This server has just started, and has not read everything: connect again."

// hasBegun tells whether every part was ready once. Before that, a build that a client follows would seem not to be there.
func (g *Gateway) hasBegun() bool {
	if g.begun.Load() {
		return true
	}
	for _, check := range g.Checks {
		if check.Ready() != nil {
			return false
		}
	}
	g.begun.Store(true)
	return true
}

// missing is the text of a check: operators read it, so a cause is told, but one that
// was made for users keeps its words.
func missing(err error) string {
	if kind := fault.KindOf(err); kind != fault.Internal {
		return fault.PublicOf(err)
	}
	return err.Error()
}

func (g *Gateway) process() map[string]any {
	return map[string]any{"version": g.Version, "go": runtime.Version(), "startedAt": g.started.UTC(), "streams": g.streams.count()}
}
