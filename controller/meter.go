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
	"drydock.dev/drydock/fault"
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
		return unbilled(build) || leaving(build) || m.untracked(build)
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

// untracked tells whether an ended build has seconds and would go without a trace: it
// was built before there was a ledger.
func (m *meters) untracked(build *v1alpha1.Build) bool {
	entry, ended := entryOf(build)
	return ended && entry.Seconds > 0 && build.DeletionTimestamp.IsZero() &&
		!controllerutil.ContainsFinalizer(build, FinalizerMetering) && m.now().Sub(entry.Finished) < metering.Kept
}

// Reconcile reports an ended build's seconds and says so in status.billing; a deleted
// build then goes into the ledger, and goes.
func (m *meters) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	ctx = transport.WithPriority(ctx, transport.Background)
	var build v1alpha1.Build
	if err := m.Get(ctx, request.NamespacedName, &build); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if m.untracked(&build) {
		if err := m.track(ctx, &build, controllerutil.AddFinalizer); err != nil {
			return calm(reconcile.Result{}, client.IgnoreNotFound(err))
		}
	}
	if unbilled(&build) {
		if result, err := m.tell(ctx, &build); err != nil || build.Status.Billing == nil {
			return calm(result, err)
		}
	}
	if !leaving(&build) {
		return reconcile.Result{}, nil
	}
	if err := m.ledger.enter(ctx, &build); err != nil {
		return calm(reconcile.Result{}, fmt.Errorf("enter build into the ledger: %w", err))
	}
	return calm(reconcile.Result{}, client.IgnoreNotFound(m.track(ctx, &build, controllerutil.RemoveFinalizer)))
}

// tell reports a build while billing knows its UID, so that telling twice counts once;
// one that is older than that is left to late. Where billing does not know the account
// it is asked again, ever less often: what it knows may lag.
func (m *meters) tell(ctx context.Context, build *v1alpha1.Build) (reconcile.Result, error) {
	var age time.Duration
	if Seconds(build) > 0 { // so it has an end
		age = m.now().Sub(build.Status.CompletionTime.Time)
	}
	switch {
	case age < 0: // a node's clock is ahead: its time will come
		return reconcile.Result{RequeueAfter: min(-age, time.Minute)}, nil
	case age > metering.SafeFor:
		return reconcile.Result{}, nil
	}
	err := m.report(ctx, build)
	if fault.KindOf(err) == fault.NotFound {
		m.log.Warn("billing does not know a build's account", "namespace", build.Namespace, "build", build.Name, "account", build.Spec.Account)
		return reconcile.Result{RequeueAfter: min(max(age, time.Second), retryLate)}, nil
	}
	if client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("meter build: %w", err)
	}
	return reconcile.Result{}, nil
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds,verbs=patch

// track adds or removes the finalizer.
func (m *meters) track(ctx context.Context, build *v1alpha1.Build, change func(client.Object, string) bool) error {
	before := build.DeepCopy()
	change(build, FinalizerMetering)
	return m.Patch(ctx, build, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}
