package controller

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/metering"
	"drydock.dev/drydock/transport"
)

// FinalizerMetering keeps a Build that was started until somebody deletes it, and
// then until its seconds are metered and in the ledger.
const FinalizerMetering = "drydock.dev/metering"

// meters tells billing of ended builds.
type meters struct {
	reporter
	ledger ledger
}

func (m *meters) setup(mgr manager.Manager, options controller.Options) error {
	owing := predicate.NewPredicateFuncs(func(object client.Object) bool {
		build := object.(*v1alpha1.Build)
		return unbilled(build) || leaving(build)
	})
	return builder.ControllerManagedBy(mgr).Named("meters").WithOptions(options).
		For(&v1alpha1.Build{}, builder.WithPredicates(owing)).
		Complete(m)
}

// unbilled tells whether a build ended and billing was not told yet, as far as its
// status knows.
func unbilled(build *v1alpha1.Build) bool {
	return build.Status.Phase.Done() && build.Status.Billing == nil
}

// leaving tells whether a build was deleted, ended, and waits to be let go.
func leaving(build *v1alpha1.Build) bool {
	return build.Status.Phase.Done() && !build.DeletionTimestamp.IsZero() && controllerutil.ContainsFinalizer(build, FinalizerMetering)
}

// Reconcile reports an ended build's seconds and says so in status.billing; a deleted
// build then goes into the ledger, and goes. Reporting twice counts once while billing
// knows the Build's UID; a build that is older than that is left to late.
func (m *meters) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	ctx = transport.WithPriority(ctx, transport.Background)
	var build v1alpha1.Build
	if err := m.Get(ctx, request.NamespacedName, &build); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if unbilled(&build) {
		age := m.now().Sub(build.Status.CompletionTime.Time)
		switch {
		case Seconds(&build) == 0: // there is nothing to tell
		case age < 0: // a node's clock is ahead: its time will come
			return reconcile.Result{RequeueAfter: min(-age, time.Minute)}, nil
		case age > metering.SafeFor:
			return reconcile.Result{}, nil
		}
		if err := m.report(ctx, &build); err != nil {
			return calm(reconcile.Result{}, fmt.Errorf("meter build: %w", client.IgnoreNotFound(err)))
		}
	}
	if !leaving(&build) {
		return reconcile.Result{}, nil
	}
	if err := m.ledger.enter(ctx, &build); err != nil {
		return calm(reconcile.Result{}, fmt.Errorf("enter build into the ledger: %w", err))
	}
	before := build.DeepCopy()
	controllerutil.RemoveFinalizer(&build, FinalizerMetering)
	err := m.Patch(ctx, &build, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	return calm(reconcile.Result{}, client.IgnoreNotFound(err))
}
