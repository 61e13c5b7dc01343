package cluster

import (
	"context"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"drydock.dev/drydock/fault"
)

const (
	// quotaPatience is how long a quota may take to count again: an image that was deleted
	// counts for a moment longer, a larger plan not yet.
	quotaPatience = 3 * time.Second
	quotaPause    = 100 * time.Millisecond
)

// withinQuota creates an image, of which the account may have limit in all, in a namespace
// whose quota may refuse it: fault.LimitExceeded where there are as many, and
// fault.Unavailable where the quota stays behind.
func (c *Client) withinQuota(ctx context.Context, namespace string, limit int, create func() error) error {
	for deadline := c.now().Add(quotaPatience); ; {
		err := create()
		switch {
		case !overQuota(err):
			return err
		case c.images.count(byAccount, namespace) >= limit:
			return tooManyImages(limit)
		case !c.now().Before(deadline):
			return &fault.Error{Kind: fault.Unavailable, Cause: err,
				Message: "The cluster has not counted the account's images yet: try again in a moment."}
		}
		select {
		case <-ctx.Done():
			return translate(ctx.Err())
		case <-time.After(quotaPause):
		}
	}
}

func tooManyImages(limit int) error {
	return fault.New(fault.LimitExceeded, "Your plan allows %d images: delete one, or change to a larger plan.", limit)
}

// overQuota tells whether a ResourceQuota refused, which the API server says in words only.
// https://kubernetes.io/docs/concepts/policy/resource-quotas/
func overQuota(err error) bool {
	return apierrors.IsForbidden(err) && (strings.Contains(err.Error(), "exceeded quota:") || strings.Contains(err.Error(), "status unknown for quota:"))
}
