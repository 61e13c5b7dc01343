package auth_test

import (
	"context"
	"sync"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// ledger keeps accounts for tests of tokens. A replica may lag behind what is true.
type ledger struct {
	mu sync.Mutex
	// held is what Account says, true what AccountNow says.
	held, true map[string]model.Account
	down       error
	// asked counts the calls of AccountNow.
	asked    int
	watching map[chan struct{}]bool
}

func newLedger(accounts ...model.Account) *ledger {
	l := &ledger{held: map[string]model.Account{}, true: map[string]model.Account{}, watching: map[chan struct{}]bool{}}
	for _, account := range accounts {
		l.held[account.Login], l.true[account.Login] = account, account
	}
	return l
}

func (l *ledger) read(from map[string]model.Account, login string) (*model.Account, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down != nil {
		return nil, l.down
	}
	account, ok := from[login]
	if !ok {
		return nil, &fault.Error{Kind: fault.NotFound}
	}
	return &account, nil
}

func (l *ledger) Account(_ context.Context, login string) (*model.Account, error) {
	return l.read(l.held, login)
}

func (l *ledger) ProvenAccount(_ context.Context, login string) (*model.Account, error) {
	return l.read(l.held, login)
}

func (l *ledger) AccountNow(_ context.Context, login string) (*model.Account, error) {
	account, err := l.read(l.true, login)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked++; err == nil {
		l.held[login] = *account
	}
	return account, err
}

func (l *ledger) RaiseTokenEpoch(ctx context.Context, login, _ string) (*model.Account, error) {
	l.mu.Lock()
	account, ok := l.true[login]
	if ok {
		account.TokenEpoch++
		l.true[login] = account
	}
	l.mu.Unlock()
	return l.AccountNow(ctx, login)
}

// change alters the world, and tells the watchers.
func (l *ledger) change(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
	for changes := range l.watching {
		select {
		case changes <- struct{}{}:
		default:
		}
	}
}

func (l *ledger) WatchAccount(ctx context.Context, _ string) (<-chan struct{}, error) {
	changes := make(chan struct{}, 1)
	changes <- struct{}{}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watching[changes] = true
	context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.watching, changes)
		close(changes)
	})
	return changes, nil
}
