package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/staleness"
)

// secret stands in causes that no client may see.
const secret = "dial tcp 10.0.0.7:443: hunter2"

// schema resolves the few fields that the tests ask for; all others panic.
type schema struct{}

func (schema) Query() graph.QueryResolver                 { return queries{} }
func (schema) Mutation() graph.MutationResolver           { return mutations{} }
func (schema) Subscription() graph.SubscriptionResolver   { return subscriptions{} }
func (schema) Account() graph.AccountResolver             { return accounts{} }
func (schema) Build() graph.BuildResolver                 { return builds{} }
func (schema) DailyUsage() graph.DailyUsageResolver       { return nil }
func (schema) Image() graph.ImageResolver                 { return nil }
func (schema) ImageTriggers() graph.ImageTriggersResolver { return nil }

type queries struct{ graph.QueryResolver }

func (queries) Viewer(ctx context.Context) (*model.Account, error) {
	viewer, ok := auth.ViewerFrom(ctx)
	if !ok {
		return nil, nil
	}
	return &model.Account{Login: viewer.Login, Role: model.RoleUser}, nil
}

// Image fails in the way that its name says.
func (queries) Image(ctx context.Context, name string) (*model.Image, error) {
	switch name {
	case "missing":
		return nil, fault.New(fault.NotFound, "There is no image %q.", name)
	case "broken":
		return nil, errors.New(secret)
	case "down":
		return nil, fault.Wrap(fault.Unavailable, errors.New(secret))
	case "panic":
		panic(secret)
	case "old":
		staleness.Tell(ctx, 90*time.Second)
		staleness.Tell(ctx, 42*time.Second)
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &model.Image{Key: model.Key{Login: "ada", Name: name}, CreatedAt: time.Unix(0, 0)}, nil
}

// Build is there under the id long; all others are not.
func (queries) Build(_ context.Context, id string) (*model.Build, error) {
	if id != "long" {
		return nil, fault.New(fault.NotFound, "There is no build %q.", id)
	}
	return &model.Build{Key: model.Key{Login: "ada", Name: "app-x"}, Number: 7, References: []string{}}, nil
}

type builds struct{ graph.BuildResolver }

func (builds) Image(context.Context, *model.Build) (*model.Image, error) {
	return &model.Image{Key: model.Key{Login: "ada", Name: "app"}}, nil
}

// Log has the lines 101 to 12,000; those before are not kept.
func (builds) Log(_ context.Context, _ *model.Build, after, first int) (*model.BuildLog, error) {
	log := &model.BuildLog{FirstLine: 101, EndCursor: max(after, 100)}
	for log.EndCursor < 12_000 && len(log.Lines) < first {
		log.EndCursor++
		log.Lines = append(log.Lines, &model.LogLine{Number: log.EndCursor, Text: fmt.Sprintf("\x1b[1mline\x1b[0m %d", log.EndCursor)})
	}
	log.Complete = log.EndCursor == 12_000
	return log, nil
}

type mutations struct{ graph.MutationResolver }

func (mutations) DeleteImage(_ context.Context, input model.DeleteImageInput) (*model.DeleteImagePayload, error) {
	return &model.DeleteImagePayload{DeletedID: input.ID}, nil
}

type accounts struct{ graph.AccountResolver }

func (accounts) Images(_ context.Context, _ *model.Account, first int, _ *string, _ *model.ImageFilter, _ *model.ImageOrder) (*model.Connection[*model.Image], error) {
	if first < 1 || first > model.MaxPage {
		return nil, fault.New(fault.BadUserInput, "first is 1 to %d.", model.MaxPage)
	}
	return model.NewConnection(model.Slice[*model.Image]{}), nil
}

type subscriptions struct{ graph.SubscriptionResolver }

// ViewerChanged tells the present state, and then nothing until the end.
func (subscriptions) ViewerChanged(ctx context.Context) (<-chan *model.Account, error) {
	viewer, ok := auth.ViewerFrom(ctx)
	if !ok {
		return nil, fault.New(fault.Unauthenticated, "Sign in first.")
	}
	changes := make(chan *model.Account, 1)
	changes <- &model.Account{Login: viewer.Login}
	go func() {
		defer close(changes)
		<-ctx.Done()
	}()
	return changes, nil
}

// BuildLog tells two lines and completes; of the build endless it tells lines on and on.
func (subscriptions) BuildLog(ctx context.Context, id string, after int) (<-chan *model.LogLine, error) {
	if id == "panic" {
		panic(secret)
	}
	lines := make(chan *model.LogLine)
	go func() {
		defer close(lines)
		for number := after + 1; number <= after+2 || id == "endless"; number++ {
			select {
			case lines <- &model.LogLine{Number: number, Text: "line"}:
			case <-ctx.Done():
				return
			}
			if id == "endless" {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	return lines, nil
}
