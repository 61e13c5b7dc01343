package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	"drydock.dev/drydock/graph/model"
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
		payer, err := l.payer(ctx, build.Spec.Account, build.Spec.Customer)
		if err != nil {
			return calm(reconcile.Result{}, fmt.Errorf("late builds: %w", err))
		}
		look[window{request.Namespace, payer, hour, hour.Add(time.Hour)}] = true
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

// window is a span of a payer's time.
type window struct {
	namespace string
	payer     model.Owner
	from, to  time.Time
}

// visit brings the builds of an hour a step further: all at once where that is clear,
// else minute by minute. done tells that nothing is left to wait for.
//
// The meter is read before the builds, so that what was reported meanwhile shows in
// them, and they are not settled.
func (l *late) visit(ctx context.Context, hour window) (done bool, err error) {
	metered, err := l.billing.Metered(ctx, hour.payer, hour.from, hour.to)
	unknown := fault.KindOf(err) == fault.NotFound
	if err != nil && !unknown {
		return false, err
	}
	builds, live, err := l.read(ctx, hour)
	switch unsure := metering.Unsure(builds); {
	case err != nil:
		return false, err
	case unknown && len(unsure) == 0: // billing learned just now that the customer is gone
		return false, errors.New("who pays for late builds has changed: they are looked at again")
	case unknown:
		return false, l.abandonAll(ctx, unsure, live)
	case len(unsure) == 0:
		return true, nil
	case l.now().Before(metering.Settled(builds)):
		return false, nil
	case metering.Clear(metered, builds):
		return l.decide(ctx, hour, metered, builds, live)
	default:
		return l.visitMinutes(ctx, hour, unsure)
	}
}

// visitMinutes decides about those minutes of an hour in which unsure builds ended.
func (l *late) visitMinutes(ctx context.Context, hour window, unsure []metering.Build) (done bool, err error) {
	sums := map[time.Time]int64{}
	for _, build := range unsure {
		minute := build.Finished.Truncate(time.Minute)
		if _, known := sums[minute]; known {
			continue
		}
		if sums[minute], err = l.billing.Metered(ctx, hour.payer, minute, minute.Add(time.Minute)); err != nil {
			return false, err
		}
	}
	builds, live, err := l.read(ctx, hour)
	if err != nil {
		return false, err
	}
	done = true
	for _, from := range slices.SortedFunc(maps.Keys(sums), time.Time.Compare) {
		minute := window{hour.namespace, hour.payer, from, from.Add(time.Minute)}
		decided, err := l.decide(ctx, minute, sums[from], metering.Within(builds, minute.from, minute.to), live)
		if err != nil {
			return false, err
		}
		done = done && decided
	}
	return done, nil
}

// read gives an hour's builds, those of the ledger too; live are the unbilled Builds, by UID.
func (l *late) read(ctx context.Context, hour window) (found []metering.Build, live map[string]*v1alpha1.Build, err error) {
	var builds v1alpha1.BuildList
	if err := l.live.List(ctx, &builds, client.InNamespace(hour.namespace)); err != nil {
		return nil, nil, err
	}
	entered, err := l.ledger.read(ctx, hour.from, hour.to, client.InNamespace(hour.namespace))
	if err != nil {
		return nil, nil, err
	}
	live = map[string]*v1alpha1.Build{}
	for i := range builds.Items {
		if build := &builds.Items[i]; build.Spec.Account == hour.payer.Login && unbilled(build) {
			live[string(build.UID)] = build
		}
	}
	login := hour.payer.Login
	payers, err := l.payers(ctx, login, metering.Within(accountsOf(builds.Items, entered)[login], hour.from, hour.to))
	return payers[hour.payer], live, err
}

// abandonAll lets builds go whose account billing does not know: deleted ones, and
// those that the meter takes no more.
func (l *late) abandonAll(ctx context.Context, unsure []metering.Build, live map[string]*v1alpha1.Build) error {
	var errs []error
	for _, entry := range unsure {
		build := live[entry.UID]
		if build.DeletionTimestamp.IsZero() && l.now().Sub(entry.Finished) <= metering.Taken {
			l.log.Warn("a late build waits: billing does not know its account", "namespace", build.Namespace, "build", build.Name, "account", build.Spec.Account)
			continue
		}
		errs = append(errs, l.abandon(ctx, build))
	}
	return errors.Join(errs...)
}

// decide does what the meter's sum says. What no sum explains waits for somebody who
// decides by hand, until the meter takes the builds no more: then they are lost.
func (l *late) decide(ctx context.Context, w window, metered int64, builds []metering.Build, live map[string]*v1alpha1.Build) (done bool, err error) {
	if l.now().Before(metering.Settled(builds)) {
		return false, nil
	}
	decision, err := metering.Decide(metered, builds)
	if err != nil {
		if l.now().Sub(w.to) <= metering.Taken {
			l.log.Warn("late builds wait: see drydock reconcile", "account", w.payer.Login, "customer", w.payer.CustomerID, "minute", w.from, "metered", metered, "error", err)
			return false, nil
		}
		decision.Missing = metering.Unsure(builds)
	}
	return true, l.act(ctx, decision, live)
}
