package gateway

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
)

// identified tells who asks, by the strongest proof that came: an access token, the word
// of a trusted proxy, or else the session's cookie, which was read before. A proof that
// does not hold is refused, and never taken for nobody's.
func (g *Gateway) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		viewer, ok, err := g.prove(r)
		if !ok && err == nil {
			err = g.checkSession(w, r)
		}
		if err != nil {
			g.refuseViewer(w, r, err)
			return
		}
		if ok {
			recordOf(r.Context()).signedIn(viewer)
			r = r.WithContext(auth.WithViewer(r.Context(), viewer))
		}
		next.ServeHTTP(w, r)
	})
}

// prove reads the proofs that are no cookie; ok is false where none came. The proxy's
// word counts for nothing beside a token, and goes no further either.
func (g *Gateway) prove(r *http.Request) (viewer auth.Viewer, ok bool, err error) {
	var word auth.Word
	if g.Trust != nil {
		word = g.Trust.Take(r)
	}
	token, sent, err := bearer(r)
	switch {
	case err != nil:
		return viewer, false, err
	case sent && g.Tokens != nil:
		viewer, err = g.Tokens.Viewer(r.Context(), token)
		return viewer, true, err
	case g.Trust != nil:
		return g.Trust.Viewer(r, word)
	}
	return viewer, false, nil
}

// bearer is the token of the Authorization header (RFC 6750, 2.1). Of several headers
// nobody could tell which one is meant.
func bearer(r *http.Request) (token string, sent bool, err error) {
	values := r.Header.Values("Authorization")
	if len(values) > 1 {
		return "", false, fault.New(fault.BadUserInput, "The request has %d Authorization headers: send one.", len(values))
	}
	scheme, token, _ := strings.Cut(strings.Join(values, ""), " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer"), nil
}

// sessionCheck bounds how long a session waits for its account.
const sessionCheck = 2 * time.Second

// checkSession refuses a session whose account is no more, and takes its cookie away.
// Where that cannot be told just now, the session goes on.
func (g *Gateway) checkSession(w http.ResponseWriter, r *http.Request) error {
	viewer, signedIn := auth.ViewerFrom(r.Context())
	if !signedIn || g.Tokens == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), sessionCheck)
	defer cancel()
	err := g.Tokens.Check(ctx, viewer)
	if err == nil || fault.KindOf(err) != fault.Unauthenticated {
		return nil
	}
	g.Sessions.End(w)
	return err
}

// refuseViewer answers a request whose proof does not hold, or cannot be checked.
func (g *Gateway) refuseViewer(w http.ResponseWriter, r *http.Request, err error) {
	kind, record := fault.KindOf(err), recordOf(r.Context())
	record.code(string(kind))
	if level, ours := troubles[kind]; ours {
		w.Header().Set("Retry-After", "1")
		g.Log.Log(r.Context(), level, "who asks cannot be told", "requestId", record.requestID, "error", err.Error())
	}
	if kind == fault.Unauthenticated {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	refuse(w, auth.StatusOf(err), string(kind), fault.PublicOf(err))
}

// follow calls end once what let a stream's viewer in no longer holds, with why.
func (g *Gateway) follow(ctx context.Context, end func(error)) {
	viewer, signedIn := auth.ViewerFrom(ctx)
	if !signedIn || g.Tokens == nil {
		return
	}
	go func() {
		if err := g.Tokens.Follow(ctx, viewer); err != nil {
			end(err)
		}
	}()
}

// readOnly keeps tokens that may only read from changing anything.
type readOnly struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = readOnly{}

// ExtensionName serves gqlgen.
func (readOnly) ExtensionName() string { return "ReadOnly" }

// Validate serves gqlgen.
func (readOnly) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses a mutation by a token that may only read.
func (readOnly) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	viewer, _ := auth.ViewerFrom(ctx)
	if viewer.Token == nil || !viewer.Token.ReadOnly || oc.Operation.Operation != ast.Mutation {
		return nil
	}
	return coded(string(fault.Forbidden), "This access token may only read: make one that is not read-only to change things.")
}
