package resolvers_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/loaders"
)

// patience is how long a test waits for what should come.
const patience = 2 * time.Minute

// newExecutor is gqlgen's engine as the gateway sets it up: fresh loaders for each
// response, a fault's kind as the code and its public words as the message.
func newExecutor(schema graphql.ExecutableSchema, sources loaders.Sources) *executor.Executor {
	engine := executor.New(schema)
	engine.Use(perResponse(func(ctx context.Context) context.Context {
		return loaders.With(ctx, loaders.New(sources))
	}))
	engine.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error {
		presented := graphql.DefaultErrorPresenter(ctx, err)
		var known *gqlerror.Error
		if errors.As(err, &known) && known.Unwrap() == nil {
			return presented // the engine's own: parsing, validation, arguments
		}
		presented.Message = fault.PublicOf(err)
		presented.Extensions = map[string]any{"code": string(fault.KindOf(err))}
		return presented
	})
	return engine
}

// perResponse gives each response a context of its own.
type perResponse func(context.Context) context.Context

func (perResponse) ExtensionName() string                   { return "PerResponse" }
func (perResponse) Validate(graphql.ExecutableSchema) error { return nil }
func (p perResponse) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return next(p(ctx))
}

// caller asks as one login; an empty one is signed out.
type caller struct {
	t      *testing.T
	engine *executor.Executor
	login  string
	// customer is the account that let the caller in; empty: whichever the login has.
	customer string
}

// answer is a response, taken apart.
type answer struct {
	Data  map[string]any
	Codes []string
	// Words are the errors' messages.
	Words []string
}

// variables of an operation.
type variables map[string]any

// stream begins an operation; each call of the handler gives the next response.
func (c caller) stream(ctx context.Context, query string, vars variables) graphql.ResponseHandler {
	c.t.Helper()
	if c.login != "" {
		ctx = auth.WithViewer(ctx, auth.Viewer{Login: c.login, CustomerID: c.customer})
	}
	ctx = graphql.StartOperationTrace(ctx)
	operation, errs := c.engine.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: vars})
	if len(errs) > 0 {
		return graphql.OneShot(c.engine.DispatchError(graphql.WithOperationContext(ctx, operation), errs))
	}
	responses, ctx := c.engine.DispatchOperation(ctx, operation)
	return func(context.Context) *graphql.Response { return responses(ctx) }
}

// ask runs an operation and takes its first response.
func (c caller) ask(query string, vars variables) answer {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	return c.askWith(ctx, query, vars)
}

func (c caller) askWith(ctx context.Context, query string, vars variables) answer {
	c.t.Helper()
	response := c.stream(ctx, query, vars)(ctx)
	if response == nil {
		c.t.Fatalf("no response to %s %v", query, vars)
	}
	return c.read(response)
}

// must runs an operation that has to succeed, and reads its data into what.
func (c caller) must(query string, vars variables, what any) {
	c.t.Helper()
	got := c.ask(query, vars)
	if len(got.Codes) > 0 {
		c.t.Fatalf("%s %v: %v %v", query, vars, got.Codes, got.Words)
	}
	into(c.t, got.Data, what)
}

// follow runs a subscription until the test ends, and hands out its responses.
func (c caller) follow(query string, vars variables) <-chan answer {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	next := c.stream(ctx, query, vars)
	answers, done := make(chan answer), make(chan struct{})
	go func() {
		defer close(done)
		defer close(answers)
		for {
			response := next(ctx)
			if response == nil {
				return
			}
			select {
			case answers <- c.read(response):
			case <-ctx.Done():
				return
			}
		}
	}()
	c.t.Cleanup(func() { cancel(); <-done })
	return answers
}

func (c caller) read(response *graphql.Response) answer {
	c.t.Helper()
	var got answer
	if len(response.Data) > 0 {
		if err := json.Unmarshal(response.Data, &got.Data); err != nil {
			c.t.Errorf("%s: %v", response.Data, err)
		}
	}
	for _, err := range response.Errors {
		code, _ := err.Extensions["code"].(string)
		got.Codes, got.Words = append(got.Codes, code), append(got.Words, err.Message)
	}
	return got
}

// await takes the next answer that holds, within patience.
func await(t *testing.T, answers <-chan answer, what string, holds func(answer) bool) answer {
	t.Helper()
	deadline := time.After(patience)
	var last answer
	for {
		select {
		case got, open := <-answers:
			if !open {
				t.Fatalf("%s: the stream ended; last %+v", what, last)
			}
			if holds(got) {
				return got
			}
			last = got
		case <-deadline:
			t.Fatalf("%s: not within %v; last %+v", what, patience, last)
		}
	}
}

// into reads loose JSON data into a typed value.
func into(t *testing.T, data, what any) {
	t.Helper()
	if what == nil {
		return
	}
	raw, err := json.Marshal(data)
	if err == nil {
		err = json.Unmarshal(raw, what)
	}
	if err != nil {
		t.Fatal(err)
	}
}
