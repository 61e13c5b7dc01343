package billing

import (
	"context"
	"errors"
	"net/http"

	"github.com/stripe/stripe-go/v76"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/transport"
)

// translate makes a fault of any error on the way to Stripe. The cause, which may hold
// ids and Stripe's own words, is for the log alone.
func (c *Client) translate(err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, transport.ErrOpen) || errors.Is(err, transport.ErrSlow) {
		return fault.Wrap(fault.Unavailable, err)
	}
	if errors.Is(err, transport.ErrLimited) {
		return fault.Wrap(fault.RateLimited, err)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fault.Wrap(fault.Timeout, err)
	}
	var refused *stripe.Error
	if !errors.As(err, &refused) {
		// No connection, or an answer that is not Stripe's.
		return fault.Wrap(fault.Unavailable, err)
	}
	kind := kindOf(refused)
	if refused.HTTPStatusCode == http.StatusUnauthorized || refused.HTTPStatusCode == http.StatusForbidden {
		c.options.Log.Error("stripe refuses the key: check that it is valid and has the permissions that docs/operations.md names",
			"status", refused.HTTPStatusCode, "request", refused.RequestID)
	}
	return fault.Wrap(kind, err)
}

func kindOf(refused *stripe.Error) fault.Kind {
	switch status := refused.HTTPStatusCode; {
	case status == http.StatusNotFound, refused.Code == stripe.ErrorCodeResourceMissing:
		return fault.NotFound
	case status == http.StatusTooManyRequests:
		return fault.RateLimited
	case status == http.StatusConflict, status >= http.StatusInternalServerError:
		// 409: the same idempotency key is still in flight, after all retries.
		return fault.Unavailable
	default:
		// We built the request: what Stripe finds wrong with it is our defect.
		return fault.Internal
	}
}

// forbidden tells whether the key, which is valid, lacks the permission.
func forbidden(err error) bool {
	var refused *stripe.Error
	return errors.As(err, &refused) && refused.HTTPStatusCode == http.StatusForbidden
}

// refusedForGood tells that Stripe refuses a request for what it says, and will again.
func refusedForGood(err error) bool {
	var refused *stripe.Error
	if !errors.As(err, &refused) {
		return false
	}
	switch status := refused.HTTPStatusCode; status {
	case http.StatusConflict, http.StatusTooManyRequests:
		return false
	default:
		return status >= http.StatusBadRequest && status < http.StatusInternalServerError
	}
}

// failedForGood tells that the failure is an earlier one, which Stripe saved with the
// idempotency key and gives again for a day: by another key it may work
// (https://docs.stripe.com/api/idempotent_requests).
func failedForGood(err error) bool {
	var refused *stripe.Error
	return errors.As(err, &refused) && refused.HTTPStatusCode >= http.StatusInternalServerError &&
		refused.LastResponse != nil && refused.LastResponse.Header.Get("Idempotent-Replayed") == "true"
}

// untilKept makes a request that has an idempotency key; where that remembers a failure,
// once more by another key. That one is the same on every replica and changes by the
// minute, for it may come to remember a failure itself.
func untilKept[T any](c *Client, params *stripe.Params, request func() (T, error)) (T, error) {
	made, err := request()
	if failedForGood(err) {
		params.IdempotencyKey = c.otherKey(*params.IdempotencyKey)
		made, err = request()
	}
	return made, err
}

func (c *Client) otherKey(key string) *string {
	return stripe.String(key + "-" + c.options.Now().UTC().Format("2006-01-02T15:04"))
}

// missing tells whether Stripe does not know what was asked for. A fault of another kind
// says that it is not the asked one that is missing, whatever is inside.
func missing(err error) bool {
	var known *fault.Error
	if errors.As(err, &known) && known.Kind != fault.NotFound {
		return false
	}
	var refused *stripe.Error
	return errors.As(err, &refused) && kindOf(refused) == fault.NotFound
}
