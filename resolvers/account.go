package resolvers

import (
	"context"

	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/loaders"
)

// knownAccounts lists accounts and tells the loaders of them: their images' owners
// need no read.
func (r *Resolver) knownAccounts(ctx context.Context, page model.Page) (model.Slice[*model.Account], error) {
	slice, err := r.accounts.Accounts(ctx, page)
	if err == nil {
		loaders.For(ctx).KnowAccounts(slice.Items...)
	}
	return slice, err
}
