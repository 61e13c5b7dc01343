// Package auth knows who is asking: the Viewer of a request, the sealed cookie
// that carries a session, signing in with GitHub, access tokens, and the header of a
// trusted proxy. It knows no GraphQL, and keeps nothing on the server: sessions and
// tokens prove themselves on every replica.
package auth

import (
	"context"
	"time"
)

// Viewer is who is signed in.
type Viewer struct {
	// Login is the GitHub login, lower case.
	Login string
	// GithubID is GitHub's number of the user; 0 for a development sign-in.
	GithubID int64
	// SignedIn is when the session began; renewals keep it.
	SignedIn time.Time
	// Expires is when the session ends unless it is renewed, or the token ends.
	Expires time.Time
	// Token is the access token that asks; nil for somebody at a browser.
	Token *Token
}

type viewerKey struct{}

// WithViewer gives a context in which v is signed in.
func WithViewer(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// ViewerFrom is who is signed in; ok is false when nobody is.
func ViewerFrom(ctx context.Context) (v Viewer, ok bool) {
	v, ok = ctx.Value(viewerKey{}).(Viewer)
	return v, ok
}
