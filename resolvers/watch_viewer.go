package resolvers

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/staleness"
	"drydock.dev/drydock/transport"
)

const (
	// lookAgain is how soon a changed account is read again where there was no fresh answer.
	lookAgain = 2 * time.Second
	// lookTime bounds such a read.
	lookTime = 10 * time.Second
)

// watchViewer sends the viewer's account as it is, and again whenever the account, its
// plan or its usage may be another. A slow receiver gets the newest account, never a
// backlog.
func (r *Resolver) watchViewer(ctx context.Context) (<-chan *model.Account, error) {
	login, err := viewer(ctx)
	if err != nil {
		return nil, err
	}
	changes, err := r.accounts.WatchAccount(ctx, login)
	if err != nil {
		return nil, signedOut(err)
	}
	<-changes // the present state, which is read here
	account, err := r.viewerAccount(ctx)
	if err != nil {
		return nil, err
	}
	accounts := make(chan *model.Account)
	go r.followAccount(ctx, account, changes, accounts)
	return accounts, nil
}

// followAccount sends account, then a fresh one after each change, until the context ends
// or the account is gone. While Stripe does not answer there is nothing new to send.
func (r *Resolver) followAccount(ctx context.Context, account *model.Account, changes <-chan struct{}, accounts chan<- *model.Account) {
	defer close(accounts)
	login, out := account.Login, accounts
	var again <-chan time.Time
	for {
		select {
		case out <- account:
			out = nil // nothing to send before the next news
			continue
		case _, open := <-changes:
			if !open {
				return
			}
		case <-again:
		}
		again = nil
		switch now, err := r.freshAccount(ctx, login); {
		case fault.KindOf(err) == fault.NotFound:
			return
		case err != nil:
			r.log.DebugContext(ctx, "viewerChanged: no fresh account", slog.String("login", login), slog.Any("error", err))
			again = time.After(lookAgain)
		default:
			account, out = now, accounts
		}
	}
}

// freshAccount reads an account and its plan again. Where Stripe gives nothing new for one
// of them it fails, whatever stands in. No person waits for it.
func (r *Resolver) freshAccount(ctx context.Context, login string) (*model.Account, error) {
	ctx, cancel := context.WithTimeout(transport.WithPriority(ctx, transport.Background), lookTime)
	defer cancel()
	var old atomic.Bool
	ctx = staleness.With(ctx, func(context.Context, time.Duration) { old.Store(true) })
	account, err := r.accounts.Account(ctx, login)
	if err != nil {
		return nil, err
	}
	_, err = r.plans.PlanOf(ctx, account)
	switch kind := fault.KindOf(err); {
	case old.Load(), kind == fault.Unavailable, kind == fault.RateLimited, kind == fault.Timeout:
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "Only what was known before is at hand.", Cause: err}
	}
	return account, nil // what else is wrong with the plan, its field tells
}
