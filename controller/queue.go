package controller

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"drydock.dev/drydock/api/v1alpha1"
)

// retryQueue is how long a queue waits for what it cannot watch: billing, a strategy.
const retryQueue = 10 * time.Second

// queue starts the queued builds of an account, first come, first served, as far as its
// plan and the places go. Its requests name a namespace, and the work queue hands one out
// to one worker at a time: decisions about an account are made one after the other.
type queue struct {
	deps
	billing Billing
	find    strategies
	// insecure are the registries that may speak plain HTTP, see registry.Rules.
	insecure []string
	places   *places

	begun sync.Mutex
	known bool // what runs, to places
}

func (q *queue) setup(mgr manager.Manager, options controller.Options) error {
	byNamespace := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, object client.Object) []reconcile.Request {
		return []reconcile.Request{namespaceRequest(object.GetNamespace())}
	})
	joins := predicate.Funcs{CreateFunc: func(e event.CreateEvent) bool {
		if waits(e.Object.(*v1alpha1.Build)) {
			q.places.join(e.Object.GetNamespace())
		}
		return true
	}}
	turns := source.Func(func(_ context.Context, work workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		q.places.wake = func(namespace string) { work.Add(namespaceRequest(namespace)) }
		return nil
	})
	return builder.ControllerManagedBy(mgr).Named("queue").WithOptions(options).
		WatchesRawSource(turns).
		Watches(&v1alpha1.Build{}, byNamespace, builder.WithPredicates(joins, queueNews)).
		Watches(&corev1.Pod{}, byNamespace, builder.WithPredicates(roomNews)).
		Watches(&corev1.ResourceQuota{}, byNamespace, builder.WithPredicates(quotaNews)).
		Watches(&v1alpha1.Image{}, byNamespace, builder.WithPredicates(deletions)).
		Watches(&corev1.PodTemplate{}, handler.EnqueueRequestsFromMapFunc(q.waitingNamespaces)).
		Complete(q)
}

func namespaceRequest(namespace string) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKey{Namespace: namespace}}
}

// queueNews are the events of builds that can move a queue: one joins it, leaves
// its place, or is to be cancelled.
var queueNews = predicate.Funcs{
	CreateFunc: func(e event.CreateEvent) bool { return !e.Object.(*v1alpha1.Build).Status.Phase.Done() },
	UpdateFunc: func(e event.UpdateEvent) bool {
		old, now := e.ObjectOld.(*v1alpha1.Build), e.ObjectNew.(*v1alpha1.Build)
		return old.Status.Phase != now.Status.Phase || waits(now) && stopAsked(now) != stopAsked(old)
	},
}

var deletions = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(event.UpdateEvent) bool { return false },
}

func waits(build *v1alpha1.Build) bool {
	return build.Status.Phase == "" || build.Status.Phase == v1alpha1.PhaseQueued
}

// waitingNamespaces are those where a strategy's arrival can start something.
func (q *queue) waitingNamespaces(ctx context.Context, _ client.Object) []reconcile.Request {
	var builds v1alpha1.BuildList
	if err := q.List(ctx, &builds, client.UnsafeDisableDeepCopy); err != nil {
		q.log.Error("list builds", "error", err)
		return nil
	}
	requests := map[reconcile.Request]struct{}{}
	for i := range builds.Items {
		if waits(&builds.Items[i]) {
			requests[namespaceRequest(builds.Items[i].Namespace)] = struct{}{}
		}
	}
	return slices.Collect(maps.Keys(requests))
}

// Reconcile goes through an account's queue once, oldest build first.
func (q *queue) Reconcile(ctx context.Context, request reconcile.Request) (result reconcile.Result, err error) {
	if err := q.begin(ctx); err != nil {
		return result, err
	}
	waiting, running, err := q.unfinished(ctx, request.Namespace)
	if err != nil {
		return result, err
	}
	q.places.hold(request.Namespace, running)
	pass := &pass{queue: q, running: running, quotas: map[string]quota{}, holds: map[string]string{}, newest: newestOf(waiting)}
	defer func() {
		q.places.leave(request.Namespace, len(waiting), err == nil && pass.ready)
		q.metrics.shared(q.places.figures())
	}()
	for _, entry := range waiting {
		if err = pass.visit(ctx, entry); err != nil {
			return calm(reconcile.Result{}, fmt.Errorf("queued build %s: %w", entry.build.Name, err))
		}
	}
	return reconcile.Result{RequeueAfter: pass.again}, nil
}

// queued is a build in the queue, and when its Job was made where that is there already:
// a controller died between the Job and the status.
type queued struct {
	build *v1alpha1.Build
	made  *metav1.Time
}

// unfinished are an account's builds that wait, in their order, as the cache has them,
// and how many hold a place, as the API server does. What is about to start is read anew.
func (q *queue) unfinished(ctx context.Context, namespace string) ([]queued, int, error) {
	occupied, err := q.occupied(ctx, client.InNamespace(namespace))
	if err != nil {
		return nil, 0, err
	}
	var builds v1alpha1.BuildList
	if err := q.List(ctx, &builds, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, 0, err
	}
	var waiting []queued
	running := len(occupied.running)
	for i := range builds.Items {
		build := &builds.Items[i]
		if _, runs := occupied.running[build.UID]; runs || !waits(build) {
			continue
		}
		made := occupied.made[build.UID]
		if made != nil {
			running++
		}
		waiting = append(waiting, queued{build, made})
	}
	slices.SortFunc(waiting, inOrder)
	return waiting, running, nil
}

// inOrder is first come, first served: by the time in the queue (whole seconds), then by
// number, then by name.
func inOrder(a, b queued) int {
	return cmp.Or(
		queuedSince(a.build).Compare(queuedSince(b.build)),
		cmp.Compare(a.build.Spec.Number, b.build.Spec.Number),
		strings.Compare(a.build.Name, b.build.Name),
	)
}
