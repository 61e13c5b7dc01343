package resolvers

import (
	"context"
	"log/slog"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// Tokens is where access tokens are made and ended.
type Tokens interface {
	// Issue is fault.BadUserInput for a request that is not legal.
	Issue(ctx context.Context, login string, request auth.TokenRequest) (*auth.IssuedToken, error)
	// Revoke ends all tokens of a login's; the same key again does nothing more.
	Revoke(ctx context.Context, login, key string) error
}

// createToken makes a token for somebody at a browser, and writes that to the log: a
// token that could make tokens would never end.
func (r *Resolver) createToken(ctx context.Context, input model.CreateAccessTokenInput) (*auth.IssuedToken, error) {
	login, err := change(ctx, input.ClientMutationID)
	if err != nil {
		return nil, err
	}
	if asking, _ := auth.ViewerFrom(ctx); asking.Token != nil {
		r.audit(ctx, login, "createAccessToken", false)
		return nil, fault.New(fault.Forbidden, "An access token makes no access tokens: sign in in the browser.")
	}
	token, err := r.tokens.Issue(ctx, login, auth.TokenRequest{
		Name: input.Name, Days: input.ExpiresInDays, ReadOnly: input.ReadOnly, Key: text(input.ClientMutationID),
	})
	if err != nil {
		return nil, err
	}
	r.audit(ctx, login, "createAccessToken", true, slog.String("id", token.ID), slog.String("name", token.Name),
		slog.Bool("readOnly", token.ReadOnly), slog.Time("expires", token.Expires))
	return token, nil
}

// revokeTokens ends the viewer's tokens, and writes that to the log, also where it failed:
// then nobody knows how far it came.
func (r *Resolver) revokeTokens(ctx context.Context, clientMutationID *string) error {
	login, err := change(ctx, clientMutationID)
	if err != nil {
		return err
	}
	err = r.tokens.Revoke(ctx, login, text(clientMutationID))
	var about []slog.Attr
	if err != nil {
		about = append(about, slog.String("failed", string(fault.KindOf(err))))
	}
	r.audit(ctx, login, "revokeAccessTokens", true, about...)
	return err
}
