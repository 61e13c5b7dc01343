package resolvers

import (
	"context"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// viewer is the login of whoever asks; fault.Unauthenticated when signed out.
func viewer(ctx context.Context) (string, error) {
	v, ok := auth.ViewerFrom(ctx)
	if !ok {
		return "", &fault.Error{Kind: fault.Unauthenticated}
	}
	return v.Login, nil
}

// home is the login of whoever asks, for what is kept of it besides the account:
// fault.Conflict where a former owner of the login left that.
func (r *Resolver) home(ctx context.Context) (string, error) {
	v, ok := auth.ViewerFrom(ctx)
	if !ok {
		return "", &fault.Error{Kind: fault.Unauthenticated}
	}
	return v.Login, r.images.Owned(model.Owner{Login: v.Login, CustomerID: v.CustomerID})
}

// viewerAccount is the viewer's account as it is now, whatever the session says.
func (r *Resolver) viewerAccount(ctx context.Context) (*model.Account, error) {
	login, err := viewer(ctx)
	if err != nil {
		return nil, err
	}
	account, err := r.accounts.Account(ctx, login)
	return account, signedOut(err)
}

// provenAccount is the viewer's account for what must not rest on what was known before:
// the role may have been taken away.
func (r *Resolver) provenAccount(ctx context.Context) (*model.Account, error) {
	login, err := viewer(ctx)
	if err != nil {
		return nil, err
	}
	account, err := r.accounts.ProvenAccount(ctx, login)
	return account, signedOut(err)
}

// signedOut says of a viewer whose account is not found what that means.
func signedOut(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.Unauthenticated, "The account of this session is no more: sign in again.")
	}
	return err
}

// viewerPlan is the viewer's account and its plan as it is now: a limit that was changed
// in Stripe holds for the next build.
func (r *Resolver) viewerPlan(ctx context.Context) (*model.Account, *model.Plan, error) {
	account, err := r.viewerAccount(ctx)
	if err != nil {
		return nil, nil, err
	}
	plan, err := r.plans.PlanNow(ctx, account)
	return account, plan, err
}
