package controller

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// FinalizerMetering keeps a Build that was started until its seconds are metered,
// also when somebody deletes it.
const FinalizerMetering = "drydock.dev/metering"

// meters tells billing of ended builds.
type meters struct {
	deps
	billing Billing
}

func (m *meters) setup(mgr manager.Manager, options controller.Options) error {
	owing := predicate.NewPredicateFuncs(func(object client.Object) bool { return owes(object.(*v1alpha1.Build)) })
	return builder.ControllerManagedBy(mgr).Named("meters").WithOptions(options).
		For(&v1alpha1.Build{}, builder.WithPredicates(owing)).
		Complete(m)
}

func owes(build *v1alpha1.Build) bool {
	return build.Status.Phase.Done() && (build.Status.Billing == nil || controllerutil.ContainsFinalizer(build, FinalizerMetering))
}

// Reconcile reports an ended build's seconds, says so in status.billing, and lets
// the Build go. Reporting twice counts once: the report bears the Build's UID.
func (m *meters) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var build v1alpha1.Build
	if err := m.Get(ctx, request.NamespacedName, &build); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !owes(&build) {
		return reconcile.Result{}, nil
	}
	if build.Status.Billing == nil {
		if err := m.report(ctx, &build); err != nil {
			return reconcile.Result{}, fmt.Errorf("meter build: %w", err)
		}
		build.Status.Billing = &v1alpha1.BuildBilling{Seconds: Seconds(&build), ReportTime: metav1.NewTime(m.now())}
		if err := m.Status().Update(ctx, &build); err != nil {
			return calm(reconcile.Result{}, client.IgnoreNotFound(err))
		}
	}
	before := build.DeepCopy()
	if !controllerutil.RemoveFinalizer(&build, FinalizerMetering) {
		return reconcile.Result{}, nil
	}
	err := m.Patch(ctx, &build, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	return calm(reconcile.Result{}, client.IgnoreNotFound(err))
}

func (m *meters) report(ctx context.Context, build *v1alpha1.Build) error {
	seconds := Seconds(build)
	if seconds == 0 {
		return nil
	}
	err := m.billing.ReportUsage(ctx, model.UsageReport{
		Login:      build.Spec.Account,
		BuildUID:   string(build.UID),
		Seconds:    seconds,
		FinishedAt: build.Status.CompletionTime.Time,
	})
	m.metrics.reported(err)
	if fault.KindOf(err) == fault.NotFound && !build.DeletionTimestamp.IsZero() {
		m.log.Warn("a deleted build's account is unknown to billing: nobody pays", "namespace", build.Namespace, "build", build.Name, "account", build.Spec.Account, "seconds", seconds)
		return nil
	}
	return err
}
