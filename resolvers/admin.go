package resolvers

import (
	"context"
	"log/slog"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
)

// admin lets administrators pass, by the role that the account has now, and
// writes who wanted what to the log, one line for each use.
func (r *Resolver) admin(ctx context.Context, what string, about ...slog.Attr) error {
	account, err := r.provenAccount(ctx)
	if err != nil {
		return err
	}
	r.audit(ctx, account.Login, what, account.IsAdmin(), about...)
	if !account.IsAdmin() {
		return fault.New(fault.Forbidden, "Only administrators may see other accounts.")
	}
	return nil
}

// audit writes one line of who did what, and by which access token, if by one.
func (r *Resolver) audit(ctx context.Context, who, what string, allowed bool, about ...slog.Attr) {
	attrs := append([]slog.Attr{
		slog.String("who", who), slog.String("what", what), slog.Bool("allowed", allowed),
	}, about...)
	if asking, _ := auth.ViewerFrom(ctx); asking.Token != nil {
		attrs = append(attrs, slog.String("token", asking.Token.ID))
	}
	r.log.LogAttrs(ctx, slog.LevelInfo, "audit", attrs...)
}
