package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
)

// logPath serves what a build printed so far as plain text, ANSI escapes as they came.
const logPath = "/builds/{id}/log.txt"

// logLines are read at a time.
const logLines = 5000

// logQuery is what the text is made of: who may see it, and what else could be wrong, is
// then the same as everywhere.
const logQuery = `query BuildLogText($id: ID!, $after: Int!, $first: Int!) {
  build(id: $id) { number image { name } log(after: $after, first: $first) { firstLine endCursor complete lines { text } } }
}`

// logText is a transport that answers a build's log.txt by running logQuery page by page.
type logText struct{ *Gateway }

// Supports tells whether a request came by logPath.
func (logText) Supports(r *http.Request) bool { return r.PathValue("id") != "" }

// logPage is what logQuery gives.
type logPage struct {
	Build *struct {
		Number int
		Image  *struct{ Name string }
		Log    struct {
			FirstLine, EndCursor int
			Complete             bool
			Lines                []struct{ Text string }
		}
	}
}

// Do writes the log. A failure after its first page breaks the answer off.
func (g logText) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	page, err := g.page(r, exec, 0)
	if err != nil {
		refuse(w, auth.StatusOf(err), string(fault.KindOf(err)), fault.PublicOf(err))
		return
	}
	name := "build"
	if page.Build.Image != nil {
		name = page.Build.Image.Name
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%d.log"`, name, page.Build.Number))
	if first := page.Build.Log.FirstLine; first > 1 {
		_, _ = fmt.Fprintf(w, "[lines 1 to %d are not kept: the log is longer than what is kept of one]\n", first-1)
	}
	for r.Method != http.MethodHead {
		log := page.Build.Log
		var text strings.Builder
		for _, line := range log.Lines {
			text.WriteString(line.Text)
			text.WriteByte('\n')
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
		if _, err := w.Write([]byte(text.String())); err != nil || log.Complete || len(log.Lines) < logLines {
			return // all is out, or nobody takes it
		}
		if page, err = g.page(r, exec, log.EndCursor); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// page runs the query. Its failure is a fault of the response's code and words.
func (g logText) page(r *http.Request, exec graphql.GraphExecutor, after int) (page logPage, err error) {
	record := recordOf(r.Context())
	response := func() *graphql.Response {
		ctx := graphql.StartOperationTrace(r.Context())
		oc, list := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: logQuery, Variables: map[string]any{
			"id": r.PathValue("id"), "after": after, "first": logLines,
		}})
		record.operation(oc)
		ctx = graphql.WithOperationContext(ctx, oc)
		if list != nil {
			return exec.DispatchError(ctx, list)
		}
		responses, ctx := exec.DispatchOperation(ctx, oc)
		return answered(ctx, exec, responses(ctx))
	}()
	g.measured(record)
	if len(response.Errors) > 0 {
		failure := response.Errors[0]
		return page, &fault.Error{Kind: fault.Kind(fmt.Sprint(failure.Extensions["code"])), Message: failure.Message}
	}
	if err := json.Unmarshal(response.Data, &page); err != nil {
		return page, err
	}
	if page.Build == nil {
		return page, &fault.Error{Kind: fault.NotFound}
	}
	return page, nil
}
