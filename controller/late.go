package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/metering"
	"drydock.dev/drydock/transport"
)

// retryLate is how often what cannot be decided yet is looked at.
const retryLate = 10 * time.Minute

// late reports builds of which nobody knows any more whether billing has them: it was
// away for longer than it remembers a build, or the controller was. Its requests name
// a namespace, so that decisions about an account are made one after the other.
type late struct {
	reporter
	ledger ledger
}

func (l *late) setup(mgr manager.Manager, options controller.Options) error {
	byNamespace := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, object client.Object) []reconcile.Request {
		return []reconcile.Request{namespaceRequest(object.GetNamespace())}
	})
	owing := predicate.NewPredicateFuncs(func(object client.Object) bool { return unbilled(object.(*v1alpha1.Build)) })
	return builder.ControllerManagedBy(mgr).Named("late").WithOptions(options).
		Watches(&v1alpha1.Build{}, byNamespace, builder.WithPredicates(owing)).
		Complete(l)
}

// Reconcile goes through an account's unbilled builds by the hour of their end.
func (l *late) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	ctx = transport.WithPriority(ctx, transport.Background)
	var builds v1alpha1.BuildList
	if err := l.List(ctx, &builds, client.InNamespace(request.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return reconcile.Result{}, err
	}
	now := l.now()
	var again time.Duration
	look := map[window]bool{}
	for i := range builds.Items {
		build := &builds.Items[i]
		if !unbilled(build) || Seconds(build) == 0 {
			continue
		}
		end := build.Status.CompletionTime.UTC()
		if wait := end.Add(metering.SafeFor + metering.Settles).Sub(now); wait > 0 {
			if again == 0 || wait < again {
				again = wait
			}
			continue
		}
		hour := end.Truncate(time.Hour)
		look[window{request.Namespace, build.Spec.Account, hour, hour.Add(time.Hour)}] = true
	}
	for window := range look {
		done, err := l.visit(ctx, window)
		if err != nil {
			return calm(reconcile.Result{}, fmt.Errorf("late builds: %w", err))
		}
		if !done {
			again = retryLate
		}
	}
	return reconcile.Result{RequeueAfter: again}, nil
}

// window is a span of an account's time.
type window struct {
	namespace, login string
	from, to         time.Time
}

// visit brings a window's builds a step further, by the hour where that is clear,
// else by the minute; done tells that nothing is left to wait for.
func (l *late) visit(ctx context.Context, w window) (done bool, err error) {
	metered, builds, live, err := l.look(ctx, w)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return false, errors.Join(err, l.abandonAll(ctx, w))
	case err != nil:
		return false, err
	case !anyUnsure(builds):
		return true, nil
	}
	if l.now().Before(metering.Settled(builds)) {
		return false, nil
	}
	if metering.Clear(metered, builds) || w.to.Sub(w.from) <= time.Minute {
		return l.decide(ctx, w, metered, builds, live)
	}
	done = true
	for from := w.from; from.Before(w.to); from = from.Add(time.Minute) {
		minute := window{w.namespace, w.login, from, from.Add(time.Minute)}
		if !anyUnsure(metering.Within(builds, minute.from, minute.to)) {
			continue
		}
		decided, err := l.visit(ctx, minute)
		if err != nil {
			return false, err
		}
		done = done && decided
	}
	return done, nil
}

func anyUnsure(builds []metering.Build) bool {
	for _, build := range builds {
		if !build.Billed {
			return true
		}
	}
	return false
}

// look reads a window's both sides: the meter's sum first, then the builds, so that
// what was reported meanwhile shows in them, and the window is not settled.
// live are the unbilled Builds, by UID.
func (l *late) look(ctx context.Context, w window) (metered int64, found []metering.Build, live map[string]*v1alpha1.Build, err error) {
	metered, err = l.billing.Metered(ctx, w.login, w.from, w.to)
	if err != nil {
		return 0, nil, nil, err
	}
	var builds v1alpha1.BuildList
	if err := l.live.List(ctx, &builds, client.InNamespace(w.namespace)); err != nil {
		return 0, nil, nil, err
	}
	entered, err := l.ledger.read(ctx, client.InNamespace(w.namespace), client.MatchingLabels{LabelLedger: w.from.Format(time.DateOnly)})
	if err != nil {
		return 0, nil, nil, err
	}
	all := accountsOf(builds.Items, entered)[w.login]
	live = map[string]*v1alpha1.Build{}
	for i := range builds.Items {
		if build := &builds.Items[i]; build.Spec.Account == w.login && unbilled(build) {
			live[string(build.UID)] = build
		}
	}
	return metered, metering.Within(all, w.from, w.to), live, nil
}

// abandonAll lets a window's deleted builds go: billing does not know the account.
func (l *late) abandonAll(ctx context.Context, w window) error {
	var builds v1alpha1.BuildList
	if err := l.live.List(ctx, &builds, client.InNamespace(w.namespace)); err != nil {
		return err
	}
	var errs []error
	for i := range builds.Items {
		build := &builds.Items[i]
		if entry, ended := entryOf(build); ended && unbilled(build) && !build.DeletionTimestamp.IsZero() &&
			build.Spec.Account == w.login && len(metering.Within([]metering.Build{entry}, w.from, w.to)) == 1 {
			errs = append(errs, l.abandon(ctx, build))
		}
	}
	return errors.Join(errs...)
}

// decide does what the meter's sum says.
func (l *late) decide(ctx context.Context, w window, metered int64, builds []metering.Build, live map[string]*v1alpha1.Build) (done bool, err error) {
	decision, err := metering.Decide(metered, builds)
	if err != nil {
		l.log.Warn("late builds wait: see drydock reconcile", "account", w.login, "minute", w.from, "metered", metered, "error", err)
		return false, nil
	}
	for _, build := range decision.Counted {
		if err := l.billed(ctx, live[build.UID], build.Seconds); err != nil {
			return false, err
		}
	}
	for _, build := range decision.Missing {
		if err := markTold(ctx, l, live[build.UID], l.now()); err != nil {
			return false, err
		}
		if err := l.report(ctx, live[build.UID]); err != nil {
			return false, err
		}
	}
	return true, nil
}
