package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/metering"
	"drydock.dev/drydock/transport"
)

const (
	// keptAnyway is how long after its end every build stays, its image's deletion
	// or not: whoever follows it sees the end, and what started it is not started anew.
	keptAnyway = time.Hour
	// removedAtOnce is how many builds of an image go in one turn.
	removedAtOnce = 20
	// removePause is between two turns.
	removePause = time.Second
	// lookAgain is how long a plan that keeps less may take to be heard of.
	lookAgain = 24 * time.Hour
)

// retention deletes builds that are kept no longer: those beyond the number or the age
// that the plan, else the operator, sets; and those of deleted images. What has not
// ended stays, what billing was not told of stays, and so do an image's newest build
// and its newest successful one. Logs go with their builds, the seconds stay in the
// ledger. Its requests name an image, which may be gone.
type retention struct {
	deps
	billing Billing
	// keep is the operator's.
	keep keep
}

// keep says how many builds of an image stay (0: all), for how long after their end
// (0: for ever); none stay of one that is gone.
type keep struct {
	builds int
	age    time.Duration
	gone   bool
}

func (r *retention) setup(mgr manager.Manager, options controller.Options) error {
	told := predicate.NewPredicateFuncs(func(object client.Object) bool { return r.removable(object.(*v1alpha1.Build)) })
	return builder.ControllerManagedBy(mgr).Named("retention").WithOptions(options).
		For(&v1alpha1.Image{}, builder.WithPredicates(deletions)).
		Watches(&v1alpha1.Build{}, handler.EnqueueRequestsFromMapFunc(imageRequest), builder.WithPredicates(told)).
		Complete(r)
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds,verbs=delete

// Reconcile deletes the builds of an image that are due, a few at a time.
// Kubernetes: DELETE for each; GET of an image that seems to be gone.
func (r *retention) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	ctx = transport.WithPriority(ctx, transport.Background)
	var list v1alpha1.BuildList
	err := r.List(ctx, &list, client.InNamespace(request.Namespace), client.MatchingFields{byImage: request.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return reconcile.Result{}, err
	}
	if len(list.Items) == 0 {
		return reconcile.Result{}, nil
	}
	images := map[string][]*v1alpha1.Build{} // by UID: images of one name, one after the other
	for i := range list.Items {
		build := &list.Items[i]
		images[build.Spec.Image.UID] = append(images[build.Spec.Image.UID], build)
	}
	var due []*v1alpha1.Build
	again := lookAgain
	for _, builds := range images {
		keep, err := r.keepOf(ctx, builds)
		if err != nil {
			return reconcile.Result{}, fmt.Errorf("builds to keep: %w", err)
		}
		surplus, next := r.surplus(builds, keep)
		due = append(due, surplus...)
		again = min(again, next)
	}
	if len(due) > removedAtOnce {
		due, again = due[:removedAtOnce], removePause
	}
	return reconcile.Result{RequeueAfter: again}, r.remove(ctx, request, due)
}

// keepOf is how many builds of an image stay. Billing is asked where there are builds
// that may go.
// Stripe: as Billing.AccountPlan.
func (r *retention) keepOf(ctx context.Context, builds []*v1alpha1.Build) (keep, error) {
	gone, err := r.imageGone(ctx, builds[0])
	if err != nil || gone {
		return keep{gone: true}, err
	}
	most := r.keep
	if surplus, next := r.surplus(builds, keep{builds: 1}); len(surplus) == 0 && next == lookAgain {
		return most, nil
	}
	plan, err := r.billing.AccountPlan(ctx, builds[0].Spec.Account)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return most, nil
	case err != nil:
		return most, err
	}
	if builds := plan.Limits.KeptBuilds; builds != nil {
		most.builds = *builds
	}
	if days := plan.Limits.KeptDays; days != nil {
		most.age = time.Duration(*days) * 24 * time.Hour
	}
	return most, nil
}

// surplus are the builds of an image that are kept no longer, oldest first; and how
// long it is until the next one is due.
func (r *retention) surplus(builds []*v1alpha1.Build, keep keep) (due []*v1alpha1.Build, next time.Duration) {
	slices.SortFunc(builds, func(a, b *v1alpha1.Build) int { return cmp.Compare(b.Spec.Number, a.Spec.Number) })
	next = lookAgain
	succeeded := false
	for i, build := range builds {
		first := build.Status.Phase == v1alpha1.PhaseSucceeded && !succeeded
		succeeded = succeeded || first
		if !r.removable(build) || !keep.gone && (i == 0 || first || hookPending(build)) {
			continue
		}
		var age time.Duration
		switch {
		case keep.gone, keep.builds > 0 && i >= keep.builds:
			age = keptAnyway
		case keep.age > 0:
			age = max(keep.age, keptAnyway)
		default:
			continue
		}
		if wait := endOf(build).Add(age).Sub(r.now()); wait > 0 {
			next = min(next, wait)
			continue
		}
		due = append(due, build)
	}
	slices.Reverse(due)
	return due, next
}

// removable tells whether a build may go for good: it ended, billing was told, and its
// seconds cannot go without a trace. One whose webhook is still to be told may only where
// its image, and so the webhook, is gone: see surplus.
func (r *retention) removable(build *v1alpha1.Build) bool {
	if !build.Status.Phase.Done() || build.Status.Billing == nil || !build.DeletionTimestamp.IsZero() {
		return false
	}
	return build.Status.Billing.Seconds == 0 || controllerutil.ContainsFinalizer(build, FinalizerMetering) ||
		r.now().Sub(endOf(build)) >= metering.Kept
}

// endOf is when a build ended; one that tells no end did when it was created.
func endOf(build *v1alpha1.Build) time.Time {
	if end := build.Status.CompletionTime; end != nil {
		return end.Time
	}
	return build.CreationTimestamp.Time
}

// remove deletes builds: those very ones.
func (r *retention) remove(ctx context.Context, image reconcile.Request, builds []*v1alpha1.Build) error {
	var errs []error
	for _, build := range builds {
		object := &v1alpha1.Build{}
		object.Namespace, object.Name = build.Namespace, build.Name
		err := r.Delete(ctx, object, client.Preconditions{UID: &build.UID})
		if err == nil {
			r.metrics.removed.Inc()
		}
		errs = append(errs, client.IgnoreNotFound(err))
	}
	if len(builds) > 0 {
		r.log.Info("builds are kept no longer", "namespace", image.Namespace, "image", image.Name, "builds", len(builds))
	}
	return errors.Join(errs...)
}
