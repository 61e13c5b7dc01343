package controller

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"drydock.dev/drydock/api/v1alpha1"
)

const byImage = "spec.image.name"

// latest keeps an image's status.latestBuild: the build with the highest number.
type latest struct{ deps }

func (l *latest) setup(mgr manager.Manager, options controller.Options) error {
	err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.Build{}, byImage, func(object client.Object) []string {
		return []string{object.(*v1alpha1.Build).Spec.Image.Name}
	})
	if err != nil {
		return err
	}
	return builder.ControllerManagedBy(mgr).Named("latest").WithOptions(options).
		For(&v1alpha1.Image{}).
		Watches(&v1alpha1.Build{}, handler.EnqueueRequestsFromMapFunc(imageRequest)).
		Complete(l)
}

// imageRequest names a build's image.
func imageRequest(_ context.Context, object client.Object) []reconcile.Request {
	build := object.(*v1alpha1.Build)
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: build.Namespace, Name: build.Spec.Image.Name}}}
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=images/status,verbs=patch

// Reconcile finds an image's newest build and writes it down. The patch holds that
// field alone: the rest of the status is not the controller's.
func (l *latest) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var image v1alpha1.Image
	if err := l.Get(ctx, request.NamespacedName, &image); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	var builds v1alpha1.BuildList
	err := l.List(ctx, &builds, client.InNamespace(image.Namespace), client.MatchingFields{byImage: image.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return reconcile.Result{}, err
	}
	before := image.DeepCopy()
	image.Status.LatestBuild = newest(builds.Items, string(image.UID))
	if equality.Semantic.DeepEqual(before.Status.LatestBuild, image.Status.LatestBuild) {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{}, client.IgnoreNotFound(l.Status().Patch(ctx, &image, client.MergeFrom(before)))
}

func newest(builds []v1alpha1.Build, imageUID string) *v1alpha1.LatestBuild {
	var found *v1alpha1.LatestBuild
	for i := range builds {
		build := &builds[i]
		if build.Spec.Image.UID != imageUID || found != nil && build.Spec.Number <= found.Number {
			continue
		}
		found = &v1alpha1.LatestBuild{
			Name:         build.Name,
			Number:       build.Spec.Number,
			Phase:        build.Status.Phase,
			CreationTime: build.CreationTimestamp,
			Digest:       build.Status.Digest,
		}
	}
	return found
}
