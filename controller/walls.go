package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/transport"
)

// wallName is the name of each object that keeps an account's builds within its walls.
const wallName = "drydock"

// walls keeps the walls of accounts' namespaces: a ResourceQuota and a LimitRange of the
// plan's limits as they are now, a NetworkPolicy, and Pod Security labels. The queue
// decides what runs; the walls hold whoever goes past it. What somebody else changes in
// them is put right.
type walls struct {
	deps
	billing  Billing
	find     strategies
	network  Network
	counting *counting
}

func (w *walls) setup(mgr manager.Manager, options controller.Options) error {
	const byCustomer = "customer"
	err := mgr.GetFieldIndexer().IndexField(context.Background(), &corev1.Namespace{}, byCustomer, func(object client.Object) []string {
		return []string{object.GetAnnotations()[v1alpha1.AnnotationCustomer]}
	})
	if err != nil {
		return err
	}
	homes := func(ctx context.Context, where ...client.ListOption) (requests []reconcile.Request) {
		var namespaces corev1.NamespaceList
		if err := w.List(ctx, &namespaces, append(where, client.UnsafeDisableDeepCopy)...); err != nil {
			w.log.Error("list accounts' namespaces", "error", err)
		}
		for i := range namespaces.Items {
			requests = append(requests, namespaceRequest(namespaces.Items[i].Name))
		}
		return requests
	}
	changes := source.Func(func(ctx context.Context, work workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		w.billing.OnChange(ctx, func(login, customerID string) {
			switch {
			case login != "":
				work.Add(namespaceRequest(v1alpha1.Namespace(login)))
			case customerID != "":
				for _, request := range homes(ctx, client.MatchingFields{byCustomer: customerID}) {
					work.Add(request)
				}
			default:
				for _, request := range homes(ctx) {
					work.Add(request)
				}
			}
		})
		return nil
	})
	home := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, object client.Object) []reconcile.Request {
		return []reconcile.Request{namespaceRequest(object.GetNamespace())}
	})
	everywhere := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request { return homes(ctx) })
	return builder.ControllerManagedBy(mgr).Named("walls").WithOptions(options).
		For(&corev1.Namespace{}).
		WatchesRawSource(changes).
		Watches(&corev1.ResourceQuota{}, home).
		Watches(&corev1.LimitRange{}, home).
		Watches(&networkingv1.NetworkPolicy{}, home).
		Watches(&v1alpha1.Build{}, home, builder.WithPredicates(limitNews)).
		Watches(&corev1.PodTemplate{}, everywhere).
		Complete(w)
}

// limitNews are the events of builds that can change what an account needs room for.
var limitNews = predicate.Funcs{
	CreateFunc: func(e event.CreateEvent) bool { return !e.Object.(*v1alpha1.Build).Status.Phase.Done() },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return !e.ObjectOld.(*v1alpha1.Build).Status.Phase.Done() && e.ObjectNew.(*v1alpha1.Build).Status.Phase.Done()
	},
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=namespaces,verbs=list;watch;patch
// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=resourcequotas;limitranges,verbs=get;list;watch;create;update
// +kubebuilder:rbac:roleName=drydock-controller,groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;update

// Reconcile makes the walls of an account's namespace be as they should.
// Kubernetes: none where they are; else a write for each, and a GET where others write too.
// Stripe: as billing's AccountPlan, in the background.
func (w *walls) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var namespace corev1.Namespace
	if err := w.Get(ctx, client.ObjectKey{Name: request.Namespace + request.Name}, &namespace); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !namespace.DeletionTimestamp.IsZero() || namespace.Annotations[v1alpha1.AnnotationLogin] == "" {
		return reconcile.Result{}, nil
	}
	strategy, err := w.find.get(ctx)
	if err != nil {
		return reconcile.Result{}, nil //nolint:nilerr // its arrival is an event
	}
	if err := w.secure(ctx, &namespace, strategy); err != nil {
		return calm(reconcile.Result{}, err)
	}
	policy := &networkingv1.NetworkPolicy{}
	if err := w.keep(ctx, &namespace, policy, func() { policy.Spec = networkPolicy(w.network) }); err != nil {
		return calm(reconcile.Result{}, err)
	}
	room, err := w.room(transport.WithPriority(ctx, transport.Background), &namespace)
	if fault.KindOf(err) == fault.NotFound {
		return reconcile.Result{}, nil // the account is no more; when there is one again, it is told
	}
	if err != nil {
		w.log.Warn("an account's plan is not known: its limits stay as they are", "namespace", namespace.Name, "error", err)
		return reconcile.Result{RequeueAfter: retryPlan}, nil
	}
	ranges, quota := &corev1.LimitRange{}, &corev1.ResourceQuota{}
	if err := w.keep(ctx, &namespace, ranges, func() { ranges.Spec = limitRange(room) }); err != nil {
		return calm(reconcile.Result{}, err)
	}
	hard := room.hard(strategy)
	if err := w.keep(ctx, &namespace, quota, func() { quota.Spec = corev1.ResourceQuotaSpec{Hard: hard} }); err != nil {
		return calm(reconcile.Result{}, err)
	}
	again, err := w.images(ctx, &namespace, room.images)
	return calm(reconcile.Result{RequeueAfter: again}, err)
}

// keep makes one wall be as set says.
func (w *walls) keep(ctx context.Context, namespace *corev1.Namespace, wall client.Object, set func()) error {
	wall.SetNamespace(namespace.Name)
	if wall.GetName() == "" {
		wall.SetName(wallName)
	}
	all := func() error {
		set()
		labels := wall.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[v1alpha1.LabelAccount] = namespace.Labels[v1alpha1.LabelAccount]
		wall.SetLabels(labels)
		return nil
	}
	done, err := controllerutil.CreateOrUpdate(ctx, w.Client, wall, all)
	if apierrors.IsAlreadyExists(err) { // it lost its label, or the cache is behind
		if err := w.live.Get(ctx, keyOf(wall), wall); err != nil {
			return err
		}
		_ = all() // it gives no error
		done, err = controllerutil.OperationResultUpdated, w.Update(ctx, wall)
	}
	if err == nil && done != controllerutil.OperationResultNone {
		w.log.Info("a wall of an account is set", "namespace", namespace.Name, "wall", fmt.Sprintf("%T", wall), "done", done)
	}
	return client.IgnoreNotFound(err) // the namespace is gone
}

// walled tells whether the walls around a build are there, and wide enough for it: they
// follow the plan by a moment.
func (q *queue) walled(ctx context.Context, build *v1alpha1.Build, strategy *corev1.PodTemplate) (bool, error) {
	key := client.ObjectKey{Namespace: build.Namespace, Name: wallName}
	var quota corev1.ResourceQuota
	for _, wall := range []client.Object{&networkingv1.NetworkPolicy{}, &corev1.LimitRange{}, &quota} {
		if err := q.Get(ctx, key, wall); err != nil {
			return false, client.IgnoreNotFound(err)
		}
	}
	need := room{}
	need.widen(build)
	for name, amount := range need.hard(strategy) {
		if has, is := quota.Status.Hard[name]; !is || has.Cmp(amount) < 0 {
			return false, nil
		}
	}
	return true, nil
}

// quotaNews are events of quotas that can let a build begin.
var quotaNews = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		old, now := e.ObjectOld.(*corev1.ResourceQuota), e.ObjectNew.(*corev1.ResourceQuota)
		return now.Name == wallName && !sameAmounts(old.Status.Hard, now.Status.Hard)
	},
	DeleteFunc: func(event.DeleteEvent) bool { return false },
}
