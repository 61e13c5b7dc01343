package billing

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"
	"strconv"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// AccountNow is Account, asked for anew however fresh the held one is.
//
// Stripe: as Account for a login that is not held.
func (c *Client) AccountNow(ctx context.Context, login string) (*model.Account, error) {
	lower, err := canonical(login)
	if err != nil {
		return nil, noAccount()
	}
	id, err := c.resolve(ctx, lower)
	if err != nil {
		return nil, c.translate(err)
	}
	held, err := c.accounts.Reload(ctx, id, func(ctx context.Context) (*record, error) { return c.readRecord(ctx, id) })
	switch {
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return nil, c.translate(err)
	case err == nil && held.account.Login == lower:
		return held.account, nil
	}
	c.directory.forget(lower, id)
	return c.Account(ctx, lower)
}

// ProvenAccount is Account, but never one from before notices were missed, which may have
// told that tokens or a role ended: then it is fault.Unavailable where Stripe gives no
// newer one.
//
// Stripe: as Account; GET /v1/customers/{id} for one that was held before.
func (c *Client) ProvenAccount(ctx context.Context, login string) (*model.Account, error) {
	lower, err := canonical(login)
	if err != nil {
		return nil, noAccount()
	}
	if id, known := c.directory.lookup(lower); known {
		if held, there := c.accounts.Peek(id); there && held.mark < c.missed.Load() {
			return c.AccountNow(ctx, lower)
		}
	}
	held, err := c.record(ctx, lower)
	switch {
	case err != nil:
		return nil, c.translate(err)
	case held.mark < c.missed.Load():
		return nil, &fault.Error{Kind: fault.Unavailable}
	}
	return held.account, nil
}

// RaiseTokenEpoch gives the account of a login a higher token epoch, which ends every
// access token made before, and tells the other replicas; while they cannot be told it is
// fault.Unavailable, and to be asked for again. The same key again, within a day, raises
// nothing more; an empty key is like no other.
//
// Stripe: GET /v1/customers/{id}, POST /v1/customers/{id}.
func (c *Client) RaiseTokenEpoch(ctx context.Context, login, key string) (*model.Account, error) {
	account, err := c.AccountNow(ctx, login)
	if err != nil {
		return nil, err
	}
	sum := keySum(key, account.CustomerID)
	params := &stripe.CustomerParams{Metadata: map[string]string{
		metaTokenEpoch: strconv.FormatInt(account.TokenEpoch+epochStep(sum), 10),
	}}
	params.Context = ctx
	params.SetIdempotencyKey(idempotencyKey("revoke", sum))
	customer, err := untilKept(c, &params.Params, func() (*stripe.Customer, error) {
		return c.stripe.customers.Update(account.CustomerID, params)
	})
	notices := []string{notice(noticeRevoked, account.CustomerID)}
	switch {
	case err == nil:
		notices = append(notices, noticesOf(customer)...)
		c.Hear(notices)
		raised := *account
		raised.TokenEpoch = c.metaNumber(customer, metaTokenEpoch)
		account = &raised
	case !usedBefore(err):
		c.accounts.Invalidate(account.CustomerID)
		return nil, c.translate(err)
	}
	if err := c.tell(ctx, notices); err != nil {
		return nil, &fault.Error{Kind: fault.Unavailable, Cause: err,
			Message: "The access tokens are revoked, but not everywhere yet, because other servers cannot be told: try again soon."}
	}
	return account, nil
}

// epochStep is by how much a key raises an epoch, from 1 to about a million. Stripe has no
// compare-and-set: were the step always 1, the late write of one revocation could set the
// epoch back to what an earlier one gave out, and tokens that ended would hold again. No
// two keys make the same number, and a token holds for its own number only.
func epochStep(sum [sha256.Size]byte) int64 {
	return 1 + int64(binary.BigEndian.Uint32(sum[:])>>12)
}

// usedBefore tells that an idempotency key came with other parameters earlier: what it was
// for has been done (https://docs.stripe.com/api/idempotent_requests).
func usedBefore(err error) bool {
	var refused *stripe.Error
	return errors.As(err, &refused) && refused.Type == stripe.ErrorTypeIdempotency && refused.HTTPStatusCode == http.StatusBadRequest
}
