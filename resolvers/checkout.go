package resolvers

import (
	"context"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// Money is where plans are bought. Both give the address of a page that leads back to
// returnURL; the same key again gives the same page.
type Money interface {
	// Checkout is fault.BadUserInput for a plan that is not for sale, and fault.Conflict
	// for the one that the login has.
	Checkout(ctx context.Context, login, productID, returnURL, key string) (string, error)
	Portal(ctx context.Context, login, returnURL, key string) (string, error)
}

// checkout opens the page on which the viewer buys a plan.
func (r *Resolver) checkout(ctx context.Context, input model.CreateCheckoutSessionInput) (string, error) {
	login, err := change(ctx, input.ClientMutationID)
	if err != nil {
		return "", err
	}
	kind, parts, ok := model.DecodeID(input.Plan)
	if !ok || kind != model.KindPlan || len(parts) != 1 {
		return "", fault.New(fault.BadUserInput, "This is not the id of a plan: give back the id of one of plans as it came.")
	}
	return r.money.Checkout(ctx, login, parts[0], r.planURL, text(input.ClientMutationID))
}

// portal opens the page on which the viewer manages the subscription.
func (r *Resolver) portal(ctx context.Context, clientMutationID *string) (string, error) {
	login, err := change(ctx, clientMutationID)
	if err != nil {
		return "", err
	}
	return r.money.Portal(ctx, login, r.planURL, text(clientMutationID))
}
