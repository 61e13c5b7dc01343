package loaders

import (
	"context"

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

// Account reads the account of a login.
func (l *Loaders) Account(ctx context.Context, login string) (*model.Account, error) {
	return load(ctx, l.accounts, login)
}

// KnowAccounts takes over accounts that a list has just read, so that the
// response does not read them again one by one.
func (l *Loaders) KnowAccounts(accounts ...*model.Account) {
	for _, account := range accounts {
		l.accounts.Prime(account.Login, account)
	}
}

func accounts(source Accounts) func(context.Context, []string) (map[string]*model.Account, error) {
	return func(ctx context.Context, logins []string) (map[string]*model.Account, error) {
		return each(ctx, logins, accountsAtOnce, source.Account)
	}
}
