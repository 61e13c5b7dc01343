package controller

import (
	"cmp"
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/launch"
)

// launcher starts builds that nobody asked for.
type launcher struct {
	deps
	billing Billing
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds,verbs=get;create
// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=images,verbs=get
// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=images/status,verbs=patch
// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=namespaces,verbs=get

// launch starts the build that an identity names, unless it was started before. It says in
// words for people why none may be; an error is worth another try.
// Kubernetes: nothing for a build that the cache knows; GET of the build; then GET of the namespace and the image, PATCH of the
// image's status, POST of the build. Stripe: as Billing.AccountPlan and Billing.Hold.
func (l launcher) launch(ctx context.Context, image *v1alpha1.Image, identity string, start model.BuildStart) (refused string, err error) {
	name := launch.Name(image, string(image.UID)+"/"+identity)
	for _, reader := range []client.Reader{l.Client, l.live} {
		if err := reader.Get(ctx, client.ObjectKey{Namespace: image.Namespace, Name: name}, &v1alpha1.Build{}); !apierrors.IsNotFound(err) {
			return "", err
		}
	}
	start.Image = model.Key{Login: v1alpha1.LoginOf(image.Namespace, image.Annotations[v1alpha1.AnnotationLogin]), Name: image.Name}
	if refused, err := l.pay(ctx, image.Namespace, &start); refused != "" || err != nil {
		return refused, err
	}
	var now v1alpha1.Image
	if err := l.live.Get(ctx, keyOf(image), &now); err != nil || now.UID != image.UID {
		return "", client.IgnoreNotFound(err)
	}
	build, err := launch.Build(name, start, &now)
	if kind := fault.KindOf(err); kind == fault.Conflict || kind == fault.LimitExceeded {
		return fault.PublicOf(err), nil
	}
	if err != nil {
		return "", err
	}
	before := now.DeepCopy()
	now.Status.LastBuildNumber++
	if err := l.Status().Patch(ctx, &now, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return "", err
	}
	build.Spec.Number = now.Status.LastBuildNumber
	if err := l.Create(ctx, build); err != nil && !apierrors.IsAlreadyExists(err) {
		return "", err
	}
	l.log.Info("a build was started", "namespace", build.Namespace, "build", build.Name, "trigger", build.Spec.Trigger, "by", build.Spec.TriggeredBy)
	return "", nil
}

// observe changes what an image's status tells of its triggers, where that is news. The
// patch holds what is changed alone: others write the rest.
// Kubernetes: PATCH of the image's status, or nothing.
func (l launcher) observe(ctx context.Context, image *v1alpha1.Image, change func(*v1alpha1.TriggersStatus)) error {
	after := image.DeepCopy()
	before := cmp.Or(image.Status.Triggers, &v1alpha1.TriggersStatus{})
	after.Status.Triggers = before.DeepCopy()
	if change(after.Status.Triggers); equality.Semantic.DeepEqual(before, after.Status.Triggers) {
		return nil
	}
	return client.IgnoreNotFound(l.Status().Patch(ctx, after, client.MergeFrom(image)))
}

// pay finds out who pays for a start, and under which plan.
func (l launcher) pay(ctx context.Context, namespace string, start *model.BuildStart) (refused string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askBilling)
	defer cancel()
	login := start.Image.Login
	owner, err := l.billing.OwnerOf(ctx, login)
	if fault.KindOf(err) == fault.NotFound {
		return fmt.Sprintf("Nobody pays for builds: there is no account %s any more.", login), nil
	}
	if err != nil {
		return "", err
	}
	var home corev1.Namespace
	if err := l.live.Get(ctx, client.ObjectKey{Name: namespace}, &home); err != nil {
		return "", err
	}
	if held := home.Annotations[v1alpha1.AnnotationCustomer]; held != "" && held != owner.CustomerID {
		return "What is here was left by a former owner of the login: an administrator must decide about it.", nil
	}
	if words, err := l.billing.Hold(ctx, login); words != "" || err != nil {
		return words, err
	}
	start.CustomerID = owner.CustomerID
	start.Plan, err = l.billing.AccountPlan(ctx, login)
	return "", err
}
