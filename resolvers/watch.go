package resolvers

import (
	"context"
	"log/slog"

	"drydock.dev/drydock/graph/model"
)

// buildSelector says which builds a subscriber asks for, all of them the viewer's
// own; of an image and a build given together both must hold.
func buildSelector(ctx context.Context, id, image *string) (model.BuildSelector, error) {
	login, err := viewer(ctx)
	if err != nil {
		return model.BuildSelector{}, err
	}
	selector := model.BuildSelector{Login: login}
	if image != nil {
		key, err := own(ctx, model.KindImage, *image)
		if err != nil {
			return model.BuildSelector{}, err
		}
		selector.Image = key.Name
	}
	if id != nil {
		key, err := own(ctx, model.KindBuild, *id)
		if err != nil {
			return model.BuildSelector{}, err
		}
		selector.Build = key.Name
	}
	return selector, nil
}

// watchViewer sends the viewer's account as it is, and again whenever Stripe was
// told of a build of it, for then its usage is another.
func (r *Resolver) watchViewer(ctx context.Context) (<-chan *model.Account, error) {
	account, err := r.viewerAccount(ctx)
	if err != nil {
		return nil, err
	}
	builds, err := r.watches.WatchBuilds(ctx, model.BuildSelector{Login: account.Login})
	if err != nil {
		return nil, err
	}
	accounts := make(chan *model.Account)
	go r.followBilling(ctx, account, builds, accounts)
	return accounts, nil
}

// followBilling sends account, then a fresh one after each build that is newly
// billed, until builds is closed, which the context's end does. A slow receiver
// gets the newest account, never a backlog.
func (r *Resolver) followBilling(ctx context.Context, account *model.Account, builds <-chan *model.Build, accounts chan<- *model.Account) {
	defer close(accounts)
	unbilled := map[model.Key]bool{}
	out := accounts
	for {
		select {
		case build, open := <-builds:
			if !open {
				return
			}
			if newlyBilled(unbilled, build) {
				r.accounts.ForgetUsage(account.Login)
				account, out = r.freshAccount(ctx, account), accounts
			}
		case out <- account:
			out = nil // nothing to send before the next news
		}
	}
}

// newlyBilled tells whether a build that was seen unbilled before is billed now.
func newlyBilled(unbilled map[model.Key]bool, build *model.Build) bool {
	if build.BilledSeconds == nil {
		unbilled[build.Key] = true
		return false
	}
	seen := unbilled[build.Key]
	delete(unbilled, build.Key)
	return seen
}

// freshAccount reads an account again; while that fails the one known has to do.
func (r *Resolver) freshAccount(ctx context.Context, known *model.Account) *model.Account {
	account, err := r.accounts.Account(ctx, known.Login)
	if err != nil {
		r.log.WarnContext(ctx, "viewerChanged: reading the account again", slog.String("login", known.Login), slog.Any("error", err))
		return known
	}
	return account
}
