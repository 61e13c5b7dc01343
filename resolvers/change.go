package resolvers

import (
	"context"
	"unicode/utf8"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/loaders"
)

// maxMutationID is the longest clientMutationID, in characters.
const maxMutationID = 128

// change opens a mutation: somebody is signed in, and the clientMutationID can be
// kept. It gives the viewer's login. What the loaders know is dropped, so that
// the payload shows the world after this change, not after the one before.
func change(ctx context.Context, clientMutationID *string) (string, error) {
	login, err := viewer(ctx)
	if err != nil {
		return "", err
	}
	if utf8.RuneCountInString(text(clientMutationID)) > maxMutationID {
		return "", fault.New(fault.BadUserInput, "clientMutationID is too long: send at most %d characters.", maxMutationID)
	}
	loaders.For(ctx).Forget()
	return login, nil
}

// changeOwn opens a mutation of one of the viewer's own images or builds.
func (r *Resolver) changeOwn(ctx context.Context, kind, id string, clientMutationID *string) (model.Key, error) {
	if _, err := change(ctx, clientMutationID); err != nil {
		return model.Key{}, err
	}
	return r.own(ctx, kind, id)
}

// text is what an optional argument says; absent and null say nothing.
func text(argument *string) string {
	if argument == nil {
		return ""
	}
	return *argument
}
