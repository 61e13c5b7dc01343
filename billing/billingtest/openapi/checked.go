package openapi

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// Checked is a handler whose requests and responses under /v1 are all held against the
// description.
type Checked struct {
	description *Description
	next        http.Handler

	mu         sync.Mutex
	violations []string
	checked    int
}

// Check puts the description around a handler.
func (d *Description) Check(next http.Handler) *Checked { return &Checked{description: d, next: next} }

// Violations tells everything that was not as described, and how many requests were
// looked at.
func (c *Checked) Violations() (violations []string, checked int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.violations, c.checked
}

// ServeHTTP checks the request, has it answered and checks the answer. Requests that
// the handler refuses may be wrong: that is what it refused them for.
func (c *Checked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/v1/") {
		c.next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	recorder := httptest.NewRecorder()
	c.next.ServeHTTP(recorder, r)
	var answer any
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		c.note(err)
	}
	if recorder.Code == http.StatusOK {
		c.note(c.description.Request(r, body))
	}
	c.note(c.description.Response(r, recorder.Code, answer))
	c.mu.Lock()
	c.checked++
	c.mu.Unlock()
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes())
}

func (c *Checked) note(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.violations = append(c.violations, err.Error())
}
