package controller

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// stopAsked tells whether somebody asked to end a build, by the annotation or by
// deleting it.
func stopAsked(build *v1alpha1.Build) bool {
	return build.Annotations[v1alpha1.AnnotationCancelRequested] != "" || !build.DeletionTimestamp.IsZero()
}

// stopped is the verdict over a build that is to end before it is done: it was
// cancelled or deleted, or its image is gone. It is nil for any other.
func (d deps) stopped(ctx context.Context, build *v1alpha1.Build) (*verdict, error) {
	cancelled := func(message string) *verdict {
		return &verdict{v1alpha1.PhaseCancelled, v1alpha1.ReasonCancelled, message}
	}
	if !build.DeletionTimestamp.IsZero() {
		return cancelled("The build was deleted."), nil
	}
	if stopAsked(build) {
		return cancelled("The build was cancelled."), nil
	}
	gone, err := d.imageGone(ctx, build)
	if err != nil || !gone {
		return nil, err
	}
	return cancelled(fmt.Sprintf("The image %s was deleted.", build.Spec.Image.Name)), nil
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=images,verbs=get

// imageGone tells whether the very image of a build exists no more. What the cache
// misses is asked of the API server: the cache may be behind.
func (d deps) imageGone(ctx context.Context, build *v1alpha1.Build) (bool, error) {
	for _, reader := range []client.Reader{d.Client, d.live} {
		var image v1alpha1.Image
		err := reader.Get(ctx, client.ObjectKey{Namespace: build.Namespace, Name: build.Spec.Image.Name}, &image)
		if err == nil && string(image.UID) == build.Spec.Image.UID && image.DeletionTimestamp.IsZero() {
			return false, nil
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return false, err
		}
	}
	return true, nil
}

// failed is the verdict over a build that failed.
func failed(reason, message string, args ...any) verdict {
	return verdict{v1alpha1.PhaseFailed, reason, fmt.Sprintf(message, args...)}
}
