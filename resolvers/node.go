package resolvers

import (
	"context"
	"log/slog"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/loaders"
)

// maxNodes is how many ids nodes takes.
const maxNodes = 100

// node is what an id names, where the viewer may see it.
func (r *Resolver) node(ctx context.Context, id string) (model.Node, error) {
	kind, parts, ok := model.DecodeID(id)
	switch {
	case ok && kind == model.KindPlan && len(parts) == 1:
		return asNode(r.plans.Plan(ctx, parts[0]))
	case ok && kind == model.KindAccount && len(parts) == 1:
		return asNode(r.accountNode(ctx, parts[0]))
	case ok && kind == model.KindImage:
		return asNode(r.ownImage(ctx, id))
	case ok && kind == model.KindBuild:
		return asNode(r.ownBuild(ctx, id))
	case ok && kind == model.KindRegistryCredential:
		return asNode(r.ownCredential(ctx, id))
	default:
		return nil, fault.New(fault.BadUserInput, "This is not an id: give back an id field as it came.")
	}
}

// accountNode is the viewer's own account; administrators see any.
func (r *Resolver) accountNode(ctx context.Context, login string) (*model.Account, error) {
	own, err := viewer(ctx)
	if err != nil {
		return nil, err
	}
	if own == login {
		return r.viewerAccount(ctx)
	}
	account, err := r.provenAccount(ctx)
	if err != nil {
		return nil, err
	}
	if !account.IsAdmin() {
		return nil, &fault.Error{Kind: fault.NotFound}
	}
	r.audit(ctx, account.Login, "node", true, slog.String("login", login))
	return loaders.For(ctx).Account(ctx, login)
}

// nodes is what each of many ids names, in their order. One that fails is nil, and
// its error stands beside the others' nodes.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	if len(ids) > maxNodes {
		return nil, fault.New(fault.BadUserInput, "These are %d ids: send at most %d at a time.", len(ids), maxNodes)
	}
	nodes, errs := make([]model.Node, len(ids)), make([]error, len(ids))
	var wait sync.WaitGroup
	for i, id := range ids {
		wait.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = graphql.GetOperationContext(ctx).Recover(ctx, p)
				}
			}()
			nodes[i], errs[i] = r.node(ctx, id)
		})
	}
	wait.Wait()
	for i, err := range errs {
		if err != nil {
			graphql.AddError(graphql.WithPathContext(ctx, graphql.NewPathWithIndex(i)), err)
		}
	}
	return nodes, nil
}

// asNode keeps a nil pointer beside an error from becoming a node.
func asNode[T model.Node](node T, err error) (model.Node, error) {
	if err != nil {
		return nil, err
	}
	return node, nil
}
