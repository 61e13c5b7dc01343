package loaders

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/vikstrous/dataloadgen"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// Accounts is where accounts are read.
type Accounts interface {
	// Account is fault.NotFound for an unknown login.
	Account(ctx context.Context, login string) (*model.Account, error)
}

// accountsAtOnce bounds the accounts that one response reads at a time: Stripe
// has no read of many customers by id, and a rate limit.
const accountsAtOnce = 8

// Account reads the account of a login. Every field that asks for a stale one is told so.
func (l *Loaders) Account(ctx context.Context, login string) (*model.Account, error) {
	account, err := load(ctx, l.accounts, login)
	return account.told(ctx), err
}

// accounts reads logins one by one, some at a time. A login that fails fails
// alone. The places are the response's, not the batch's: a level of the response
// may come in more than one batch.
func accounts(source Accounts) func(context.Context, []string) (map[string]aged[*model.Account], error) {
	places := make(chan struct{}, accountsAtOnce)
	return func(ctx context.Context, logins []string) (map[string]aged[*model.Account], error) {
		var (
			group  sync.WaitGroup
			mu     sync.Mutex
			found  = make(map[string]aged[*model.Account], len(logins))
			failed = dataloadgen.MappedFetchError[string]{}
		)
		for _, login := range logins {
			places <- struct{}{}
			group.Go(func() {
				account, err := recovered(func() (aged[*model.Account], error) {
					return hear(ctx, func(ctx context.Context) (*model.Account, error) { return source.Account(ctx, login) })
				})
				<-places
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					failed[login] = err
					return
				}
				found[login] = account
			})
		}
		group.Wait()
		return found, failed
	}
}

// recovered makes an error of a panic, which in a goroutine of ours would end the
// process.
func recovered[V any](read func() (V, error)) (value V, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Wrap(fault.Internal, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	return read()
}
