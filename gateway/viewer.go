package gateway

import (
	"context"
	"net/http"
	"strings"

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

// prove reads the proofs that are no cookie; ok is false where none came.
func (g *Gateway) prove(r *http.Request) (viewer auth.Viewer, ok bool, err error) {
	if g.Trust != nil { // also where a token comes: the proxy's headers go no further
		viewer, ok, err = g.Trust.Viewer(r)
	}
	if token, sent := bearer(r); sent && g.Tokens != nil {
		viewer, err = g.Tokens.Viewer(r.Context(), token)
		return viewer, true, err
	}
	return viewer, ok, err
}

// bearer is the token of the Authorization header (RFC 6750, 2.1).
func bearer(r *http.Request) (token string, sent bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
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
