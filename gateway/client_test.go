package gateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// reply is an answer to a request.
type reply struct {
	status int
	header http.Header
	body   string
}

// response is the GraphQL of a reply.
type response struct {
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
}

// graphql reads the reply as a GraphQL response.
func (r reply) graphql(t *testing.T) response {
	t.Helper()
	var got response
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatalf("not a GraphQL response: %v: %s", err, r.body)
	}
	return got
}

// code is the first error's code, empty without errors.
func (r reply) code(t *testing.T) string {
	t.Helper()
	got := r.graphql(t)
	if len(got.Errors) == 0 {
		return ""
	}
	return fmt.Sprint(got.Errors[0].Extensions["code"])
}

// send makes a request; header lines are "Name: value".
func (w *world) send(t *testing.T, method, path, body string, header ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		if name, value, ok := strings.Cut(line, ": "); ok {
			request.Header.Add(name, value)
		}
	}
	client := &http.Client{
		Transport:     w.Client().Transport,
		Timeout:       deadline,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return reply{answer.StatusCode, answer.Header, string(text)}
}

// query posts an operation.
func (w *world) query(t *testing.T, query string, header ...string) reply {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	return w.send(t, http.MethodPost, "/graphql", string(body), append([]string{"Content-Type: application/json"}, header...)...)
}

// signIn gives the Cookie line of a session of ada's.
func (w *world) signIn(t *testing.T) string {
	t.Helper()
	return w.signInAs(t, "Ada")
}

func (w *world) signInAs(t *testing.T, login string) string {
	t.Helper()
	got := w.send(t, http.MethodPost, "/auth/dev", `{"login":"`+login+`"}`, "Content-Type: application/json")
	if got.status != http.StatusOK {
		t.Fatalf("sign-in: %d %s", got.status, got.body)
	}
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return "Cookie: " + cookie
}

// journal keeps log lines.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

// lines are the lines so far with a message.
func (j *journal) lines(t *testing.T, message string) []map[string]any {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []map[string]any
	for line := range strings.Lines(j.text.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if fields["msg"] == message {
			found = append(found, fields)
		}
	}
	return found
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}
