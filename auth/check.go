package auth

import (
	"context"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/transport"
)

// recheck is when an account that could not be read is asked for again.
const recheck = time.Second

// Check tells whether a viewer's account is still the one that let the viewer in, and the
// token holds: fault.Unauthenticated where not, another kind where that is not known just
// now. A viewer whom the account refuses as this replica knows it is refused for good
// only by the account as it is now: the viewer may be newer than what is known here.
func (t *Tokens) Check(ctx context.Context, viewer Viewer) error {
	read := t.accounts.Account
	if viewer.Token != nil {
		read = t.accounts.ProvenAccount
	}
	account, err := read(ctx, viewer.Login)
	if err != nil {
		return gone(err)
	}
	refused := viewer.holds(account)
	if refused == nil || viewer.older(account) || t.refused.known(viewer, account, t.now()) {
		return refused
	}
	if account, err = t.accounts.AccountNow(ctx, viewer.Login); err != nil {
		return gone(err)
	}
	if refused = viewer.holds(account); refused != nil {
		t.refused.add(viewer, account, t.now())
	}
	return refused
}

// Follow waits until a viewer's account or token no longer holds, and tells why; nil when
// the context ends first. What it asks comes after what people wait for: when everything
// may have changed, everybody's account is asked for at once.
func (t *Tokens) Follow(ctx context.Context, viewer Viewer) error {
	ctx = transport.WithPriority(ctx, transport.Background)
	var changes <-chan struct{}
	for ctx.Err() == nil {
		if changes == nil {
			changes, _ = t.accounts.WatchAccount(ctx, viewer.Login) // what is wrong, Check tells
		}
		err := t.Check(ctx, viewer)
		if err != nil && fault.KindOf(err) == fault.Unauthenticated && ctx.Err() == nil {
			return err
		}
		var again <-chan time.Time
		if err != nil || changes == nil {
			again = time.After(recheck)
		}
		select {
		case <-ctx.Done():
		case <-again:
		case _, open := <-changes:
			if !open { // it ends with the context alone
				return nil
			}
		}
	}
	return nil
}
