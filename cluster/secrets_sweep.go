package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// sweepEvery is how often loose Secrets are looked for.
const sweepEvery = time.Minute

// loose holds which objects tell of loose Secrets, and when the first of them is due:
// a looseAt to a time.Time.
type loose struct{ sync.Map }

// looseAt names a Namespace, or an Image where that is not empty.
type looseAt struct{ login, image string }

// note remembers what an object tells.
func (l *loose) note(at looseAt, object metav1.Object) {
	if all := v1alpha1.SecretsOf(object); at.login != "" && len(all.Loose) > 0 {
		l.Store(at, firstDue(all.Loose))
	}
}

func firstDue(loose []v1alpha1.LooseSecret) time.Time {
	first := loose[0].Due.Time
	for _, one := range loose {
		if one.Due.Time.Before(first) {
			first = one.Due.Time
		}
	}
	return first
}

// sweep deletes loose Secrets that are due, again and again: those that were replaced,
// and those whose writer died. Replicas that do it at once do no harm.
func (c *Client) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := c.Sweep(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("loose secrets are not deleted yet", "error", err)
		}
	}
}

// Sweep deletes those Secrets that are in use by nobody, and due. The client does so by
// itself, once a minute.
// Kubernetes: nothing where nothing is due; DELETE of each Secret, and GET and PUT of
// each object that told of them.
func (c *Client) Sweep(ctx context.Context) error {
	var failures []error
	c.loose.Range(func(key, due any) bool {
		if c.now().Before(due.(time.Time)) {
			return true
		}
		at := key.(looseAt)
		if err := c.sweepAt(ctx, at); err != nil {
			failures = append(failures, fmt.Errorf("%s %s: %w", v1alpha1.Namespace(at.login), at.image, err))
		}
		return ctx.Err() == nil
	})
	return errors.Join(failures...)
}

func (c *Client) sweepAt(ctx context.Context, at looseAt) error {
	namespace := v1alpha1.Namespace(at.login)
	var object metav1.Object
	var err error
	in := c.inNamespace(at.login)
	if at.image == "" {
		object, err = c.namespace(ctx, namespace)
	} else {
		key := model.Key{Login: at.login, Name: at.image}
		object, err = c.liveImage(ctx, key)
		in = c.inImage(key, object.GetUID(), new(*model.Image))
	}
	if fault.KindOf(err) == fault.NotFound { // and what belongs to it goes with it
		c.loose.Delete(at)
		return nil
	}
	if err != nil {
		return err
	}
	c.loose.Delete(at)
	c.loose.note(at, object)
	return c.clear(ctx, namespace, in, v1alpha1.SecretsOf(object).Loose)
}

// clear deletes those of an object's loose Secrets that are due, then makes it forget them.
func (c *Client) clear(ctx context.Context, namespace string, in holder, loose []v1alpha1.LooseSecret) error {
	var deleted []string
	for _, one := range loose {
		if one.Due.After(c.now()) {
			continue
		}
		if err := c.deleteSecret(ctx, namespace, one.Secret); err != nil {
			return err
		}
		deleted = append(deleted, one.Secret)
	}
	if len(deleted) == 0 {
		return nil
	}
	return in(ctx, func(all *v1alpha1.Secrets) error {
		all.Forget(deleted...)
		return nil
	})
}
