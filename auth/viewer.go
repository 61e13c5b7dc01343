// Package auth knows who is asking: the Viewer of a request, the sealed cookie
// that carries a session, signing in with GitHub, access tokens, and the header of a
// trusted proxy. It knows no GraphQL, and keeps nothing on the server: sessions and
// tokens prove themselves on every replica.
package auth

import (
	"context"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// Viewer is who is signed in.
type Viewer struct {
	// Login is the GitHub login, lower case.
	Login string
	// CustomerID is the account at Stripe: the login's next owner has another one.
	CustomerID string
	// GithubID is GitHub's number of the user; 0 where GitHub did not sign the user in.
	GithubID int64
	// SignedIn is when the session began; renewals keep it.
	SignedIn time.Time
	// Expires is when the session ends unless it is renewed, or the token ends.
	Expires time.Time
	// Token is the access token that asks; nil for somebody at a browser.
	Token *Token
}

// holds tells whether what let the viewer in still does, as the account is now. A login
// that was given up and taken again is another account, or is of another GitHub user.
func (v Viewer) holds(account *model.Account) error {
	switch {
	case v.CustomerID != account.CustomerID, v.GithubID != 0 && v.GithubID != account.GithubID:
		return errNoAccount()
	case v.Token != nil && v.Token.epoch != account.TokenEpoch:
		return fault.New(fault.Unauthenticated, "The access token was revoked: make a new one.")
	}
	return nil
}

// older tells that the account has gone further since the token was made: no newer state
// of it could take the token back.
func (v Viewer) older(account *model.Account) bool {
	return v.Token != nil && v.CustomerID == account.CustomerID && v.Token.epoch < account.TokenEpoch
}

func errNoAccount() error {
	return fault.New(fault.Unauthenticated, "The account is no more: sign in again.")
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
