package controller

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"drydock.dev/drydock/api/v1alpha1"
)

// retryWithin is how long after its end a build is started again: nobody wants last
// week's builds when a controller comes back. It is less than what builds are kept for
// anyway, so that what started again is still there to be found.
const retryWithin = keptAnyway / 2

// retries starts builds again that failed through no fault of their owner, once: a new
// Build of the same spec, and of the same commit where that is known. The failed one is
// not billed (see Seconds), the new one is like any other. The new one's name follows
// from the failed one's UID, so that it is started once, whoever dies.
type retries struct{ deps }

func (r *retries) setup(mgr manager.Manager, options controller.Options) error {
	due := predicate.NewPredicateFuncs(func(object client.Object) bool { return r.due(object.(*v1alpha1.Build)) })
	return builder.ControllerManagedBy(mgr).Named("retries").WithOptions(options).
		For(&v1alpha1.Build{}, builder.WithPredicates(due)).
		Complete(r)
}

// due tells whether a build is to be started again.
func (r *retries) due(build *v1alpha1.Build) bool {
	return build.Status.Reason == v1alpha1.ReasonInfrastructure && build.Status.Phase == v1alpha1.PhaseFailed &&
		!retriesItself(build) && !stopAsked(build) && r.now().Sub(endOf(build)) < retryWithin
}

// retriesItself tells whether a build is one that was started again by itself.
func retriesItself(build *v1alpha1.Build) bool {
	return build.Annotations[v1alpha1.AnnotationRetryOf] != ""
}

// startedAgain says for people what follows a failure that is not their build's.
func startedAgain(build *v1alpha1.Build) string {
	if retriesItself(build) {
		return "Start the build again."
	}
	return "It is not billed, and started again by itself, once."
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds,verbs=create
// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=images,verbs=get
// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=images/status,verbs=patch

// Reconcile starts a build again, unless that is done, or its image is gone or suspended.
// Kubernetes: GET of the image, PATCH of its status, POST of the build.
func (r *retries) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var build v1alpha1.Build
	if err := r.Get(ctx, request.NamespacedName, &build); err != nil || !r.due(&build) {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	again := repeated(&build)
	if err := r.Get(ctx, keyOf(again), &v1alpha1.Build{}); !apierrors.IsNotFound(err) {
		return reconcile.Result{}, err
	}
	var image v1alpha1.Image
	err := r.live.Get(ctx, client.ObjectKey{Namespace: build.Namespace, Name: build.Spec.Image.Name}, &image)
	if err != nil || string(image.UID) != build.Spec.Image.UID || image.Spec.Suspended || !image.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before := image.DeepCopy()
	image.Status.LastBuildNumber = max(image.Status.LastBuildNumber, build.Spec.Number) + 1
	if err := r.Status().Patch(ctx, &image, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return calm(reconcile.Result{}, client.IgnoreNotFound(err))
	}
	again.Spec.Number = image.Status.LastBuildNumber
	if err := r.Create(ctx, again); err != nil {
		return reconcile.Result{}, client.IgnoreAlreadyExists(err)
	}
	r.log.Info("build started again", "namespace", build.Namespace, "build", build.Name, "again", again.Name)
	return reconcile.Result{}, nil
}

// repeated is the build that starts another one again; it has no number yet.
func repeated(build *v1alpha1.Build) *v1alpha1.Build {
	again := &v1alpha1.Build{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   build.Namespace,
			Name:        v1alpha1.HashedName(build.Spec.Image.Name, "again/"+string(build.UID), 63),
			Labels:      map[string]string{v1alpha1.LabelAccount: v1alpha1.AccountLabel(build.Spec.Account), v1alpha1.LabelImage: build.Spec.Image.Name},
			Annotations: map[string]string{v1alpha1.AnnotationRetryOf: build.Name},
		},
		Spec: *build.Spec.DeepCopy(),
	}
	again.Spec.Trigger, again.Spec.TriggerTime = v1alpha1.TriggerRetry, build.Status.CompletionTime
	again.Spec.TriggeredBy = fmt.Sprintf("build %d failed through no fault of its own", build.Spec.Number)
	if build.Status.Commit != "" {
		again.Spec.Commit = build.Status.Commit
	}
	return again
}

// lost tells whether a pod was to go long ago and its node does not say that it went.
func (r run) lost(now time.Time) bool {
	return r.pod != nil && !podEnded(r.pod) && !r.pod.DeletionTimestamp.IsZero() && now.After(r.pod.DeletionTimestamp.Add(nodePatience))
}
