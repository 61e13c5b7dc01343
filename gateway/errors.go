package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"drydock.dev/drydock/fault"
)

// present turns any error into what a client may read: a fault's words and kind, or the
// words and code of gqlgen's own refusals. All else is INTERNAL, its text for the log.
func (g *Gateway) present(ctx context.Context, err error) *gqlerror.Error {
	record := recordOf(ctx)
	shown := &gqlerror.Error{Path: graphql.GetPath(ctx), Extensions: map[string]any{}}
	var own *gqlerror.Error
	if errors.As(err, &own) {
		shown.Locations = own.Locations
		if own.Path != nil {
			shown.Path = own.Path
		}
		if code, ok := own.Extensions["code"].(string); ok && own.Err == nil {
			shown.Message, shown.Extensions["code"] = own.Message, code
			record.code(code)
			return shown
		}
	}
	kind := fault.KindOf(err)
	shown.Message = fault.PublicOf(err)
	if kind == fault.Internal && errors.Is(err, context.Canceled) {
		kind, shown.Message = fault.Timeout, fault.Wrap(fault.Timeout, nil).Public() // nobody waits for it any more
	}
	shown.Extensions["code"] = kind
	record.code(string(kind))
	if level, ours := troubles[kind]; ours {
		if record.requestID != "" {
			shown.Extensions["requestId"] = record.requestID
		}
		if record.cause() && ctx.Err() == nil {
			g.Log.Log(ctx, level, "field failed", "requestId", record.requestID, "path", shown.Path.String(), "code", string(kind), "error", err.Error())
		}
	}
	return shown
}

// troubles are the kinds that somebody other than the client has to mend, and how loud
// the log tells them.
var troubles = map[fault.Kind]slog.Level{
	fault.Internal:    slog.LevelError,
	fault.Unavailable: slog.LevelWarn,
	fault.RateLimited: slog.LevelWarn,
	fault.Timeout:     slog.LevelWarn,
}

// recovered makes an error of a resolver's panic, and logs where it was.
func (g *Gateway) recovered(ctx context.Context, failure any) error {
	g.Log.ErrorContext(ctx, "panic", "requestId", recordOf(ctx).requestID, "panic", fmt.Sprint(failure), "stack", string(debug.Stack()))
	return fault.Wrap(fault.Internal, fmt.Errorf("panic: %v", failure))
}

// refusals are the errors of an operation that did not begin, in clean words: what is
// wrong with variables is BAD_USER_INPUT, and so is what gqlgen gives no code.
func refusals(list gqlerror.List) gqlerror.List {
	for _, err := range list {
		code, _ := err.Extensions["code"].(string)
		switch {
		case len(err.Path) > 1 && err.Path[0] == ast.PathName("variable"):
			err.Message = fmt.Sprintf("Variable $%s: %s.", strings.TrimPrefix(err.Path[1:].String(), "."), strings.TrimSuffix(err.Message, "."))
			err.Path = nil
			errcode.Set(err, string(fault.BadUserInput))
		case strings.HasPrefix(err.Message, "operation ") && strings.HasSuffix(err.Message, " not found"):
			err.Message = "The document has no such operation: choose one of its operations by operationName."
			errcode.Set(err, string(fault.BadUserInput))
		case code == codeComplexity && strings.HasPrefix(err.Message, "operation has"):
			err.Message = "The " + err.Message + ": ask for fewer fields or smaller pages."
		case code == "":
			errcode.Set(err, string(fault.BadUserInput))
		}
	}
	return list
}

// statusOf is the HTTP status of an operation that did not begin (GraphQL over HTTP, 6.4).
func statusOf(list gqlerror.List, media string) int {
	switch code := list[0].Extensions["code"]; {
	case code == codeNotFound:
		return http.StatusOK // Apollo's clients look no further otherwise
	case code == codeTooLarge:
		return http.StatusRequestEntityTooLarge
	case code == string(fault.Forbidden):
		return http.StatusForbidden
	case media == mediaGraphQL:
		return http.StatusBadRequest
	default:
		return http.StatusUnprocessableEntity
	}
}

// refuse answers a request that holds no operation, as BAD_USER_INPUT.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, status int, words string) {
	code := string(fault.BadUserInput)
	if status == http.StatusRequestEntityTooLarge {
		code = codeTooLarge
	}
	recordOf(r.Context()).code(code)
	refuse(w, status, code, words)
}

// refuse answers in the shape of a GraphQL response.
func refuse(w http.ResponseWriter, status int, code, words string) {
	w.Header().Set("Content-Type", mediaJSON)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(&graphql.Response{Errors: gqlerror.List{coded(code, "%s", words)}}) // a client that is gone needs no answer
}
