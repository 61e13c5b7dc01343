package conversion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// errChanged: what was rewritten by the definition of before may not be by the one of now.
var errChanged = errors.New("the definition changed meanwhile: run the migration again")

// pageSize is how many objects are listed at once.
const pageSize = 500

// MigrateOptions say how stored objects are rewritten.
type MigrateOptions struct {
	// Config leads to the Kubernetes API, with the rights to list and patch Images and
	// Builds and to update the status of their definitions.
	Config *rest.Config
	// Settle is how long every API server may take to hear of a new storage version.
	Settle time.Duration
	// Workers rewrite objects at once.
	Workers int
	Log     *slog.Logger
}

// Migrate rewrites every Image and Build in its definition's storage version, and then
// says so in the definition's status.storedVersions. It may be ended at any moment and
// run again: what is rewritten already is left alone by the API server.
// Kubernetes: per definition 2 GET and an UPDATE, a LIST per 500 objects, a PATCH per object;
// a definition that stores one version only costs its GET.
func Migrate(ctx context.Context, o MigrateOptions) error {
	config := rest.CopyConfig(o.Config)
	config.QPS = -1 // the API server's priority and fairness is the judge
	kube, err := newClient(config)
	if err != nil {
		return fmt.Errorf("conversion: %w", err)
	}
	definitions, err := readDefinitions(ctx, kube)
	if err != nil {
		return err
	}
	var due []*migration
	for _, definition := range definitions {
		m := &migration{MigrateOptions: o, kube: kube, definition: definition, storage: storageVersion(definition)}
		m.Log = o.Log.With("definition", definition.Name, "storage", m.storage)
		if slices.Equal(definition.Status.StoredVersions, []string{m.storage}) {
			m.Log.Info("nothing is to be migrated")
			continue
		}
		due = append(due, m)
	}
	if len(due) == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(o.Settle):
	}
	for _, m := range due {
		if err := m.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", m.definition.Name, err)
		}
	}
	return nil
}

// migration is that of one definition's objects.
type migration struct {
	MigrateOptions
	kube       client.Client
	definition *apiextensionsv1.CustomResourceDefinition
	storage    string
	rewritten  atomic.Int64
}

func (m *migration) run(ctx context.Context) error {
	m.Log.Info("stored objects are being rewritten", "stored", m.definition.Status.StoredVersions)
	err := m.rewriteAll(ctx)
	for ; apierrors.IsResourceExpired(err); err = m.rewriteAll(ctx) {
		m.Log.Info("the list is too old to go on: from the beginning")
	}
	if err != nil {
		return err
	}
	if err := m.tell(ctx); err != nil {
		return err
	}
	m.Log.Info("every stored object was rewritten", "objects", m.rewritten.Load())
	return nil
}

// rewriteAll lists the objects page by page and rewrites each.
func (m *migration) rewriteAll(ctx context.Context) error {
	kind := schema.GroupVersionKind{Group: m.definition.Spec.Group, Version: m.served(), Kind: m.definition.Spec.Names.Kind}
	for next := ""; ; {
		page := &metav1.PartialObjectMetadataList{}
		page.SetGroupVersionKind(kind.GroupVersion().WithKind(m.definition.Spec.Names.ListKind))
		err := patiently(ctx, func() error {
			return m.kube.List(ctx, page, client.Limit(pageSize), client.Continue(next))
		})
		if err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(max(m.Workers, 1))
		for _, object := range page.Items {
			object.SetGroupVersionKind(kind)
			group.Go(func() error { return m.rewrite(ctx, &object) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		m.Log.Debug("rewritten so far", "objects", m.rewritten.Load())
		if next = page.Continue; next == "" {
			return nil
		}
	}
}

// rewrite has the API server store an object anew, by a patch without a change. One that is
// gone, or was written since it was listed, needs none.
func (m *migration) rewrite(ctx context.Context, object *metav1.PartialObjectMetadata) error {
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q}}`, object.ResourceVersion))
	err := patiently(ctx, func() error { return m.kube.Patch(ctx, object, patch, fieldOwner) })
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s/%s: %w", object.Namespace, object.Name, err)
	}
	m.rewritten.Add(1)
	return nil
}

// tell drops the other versions from storedVersions, where the definition is still the one
// by which the objects were rewritten.
func (m *migration) tell(ctx context.Context) error {
	now := &apiextensionsv1.CustomResourceDefinition{}
	err := patiently(ctx, func() error { return m.kube.Get(ctx, client.ObjectKeyFromObject(m.definition), now) })
	if err != nil {
		return err
	}
	if now.UID != m.definition.UID || now.Generation != m.definition.Generation {
		return errChanged
	}
	now.Status.StoredVersions = []string{m.storage}
	err = m.kube.Status().Update(ctx, now, fieldOwner)
	if apierrors.IsConflict(err) {
		return errChanged
	}
	return err
}

// served is a version by which the objects are reached: the storage version where it can be.
func (m *migration) served() string {
	versions := m.definition.Spec.Versions
	i := slices.IndexFunc(versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Served && v.Storage })
	if i < 0 {
		i = slices.IndexFunc(versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Served })
	}
	return versions[max(i, 0)].Name
}

// storageVersion is the version that a definition's objects are written in.
func storageVersion(definition *apiextensionsv1.CustomResourceDefinition) string {
	for _, version := range definition.Spec.Versions {
		if version.Storage {
			return version.Name
		}
	}
	return ""
}

// patiently tries again what fails for a while: the API server or the webhook is busy or
// starts again.
func patiently(ctx context.Context, do func() error) error {
	backoff := wait.Backoff{Duration: 200 * time.Millisecond, Factor: 3, Jitter: 0.2, Steps: 6} // about a minute
	return retry.OnError(backoff, func(err error) bool {
		var status apierrors.APIStatus
		return ctx.Err() == nil && (!errors.As(err, &status) || apierrors.IsTooManyRequests(err) || apierrors.IsInternalError(err) ||
			apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsServiceUnavailable(err))
	}, do)
}
