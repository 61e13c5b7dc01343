package controller

import (
	"context"
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/signing"
	"drydock.dev/drydock/webhook"
)

// hookWorkers is how many deliveries are under way at once: a receiver may take 10 s.
const hookWorkers = 32

// hookPauses follow the first attempts; after the last one a delivery is given up.
func hookPauses() []time.Duration {
	return []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour}
}

// hooks tell images' webhooks of builds that ended, at least once each: what was
// attempted is in the build's status. That there is something to tell is written with
// the end itself, see deps.end.
type hooks struct {
	deps
	sender *webhook.Sender
	keys   *signing.Keys
	page   pages
	pauses []time.Duration
}

// expectHook writes into an ended build's status that its image's webhook is to be told.
func (d deps) expectHook(ctx context.Context, build *v1alpha1.Build) error {
	var image v1alpha1.Image
	err := d.Get(ctx, client.ObjectKey{Namespace: build.Namespace, Name: build.Spec.Image.Name}, &image)
	if err == nil && string(image.UID) == build.Spec.Image.UID && image.Spec.Webhook != nil {
		build.Status.Webhook = &v1alpha1.WebhookDelivery{NextTime: new(metav1.NewTime(d.now()))}
	}
	return client.IgnoreNotFound(err)
}

func (h *hooks) setup(mgr manager.Manager, options controller.Options) error {
	options.MaxConcurrentReconciles = max(options.MaxConcurrentReconciles, hookWorkers)
	pending := predicate.NewPredicateFuncs(func(object client.Object) bool { return hookPending(object.(*v1alpha1.Build)) })
	return builder.ControllerManagedBy(mgr).Named("hooks").WithOptions(options).
		For(&v1alpha1.Build{}, builder.WithPredicates(pending)).
		Complete(h)
}

// hookPending tells whether a build's end is still to be told.
func hookPending(build *v1alpha1.Build) bool {
	return build.Status.Webhook != nil && build.Status.Webhook.NextTime != nil && build.DeletionTimestamp.IsZero()
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds/status,verbs=patch

// Reconcile makes the attempt that is due, and writes down how it ended.
// Kubernetes: GET, since a cache that lags would have it sent twice; GET of an image that
// seems to be gone; PATCH of the status.
func (h *hooks) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var build v1alpha1.Build
	for _, reader := range []client.Reader{h.Client, h.live} {
		if err := reader.Get(ctx, request.NamespacedName, &build); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
		if !hookPending(&build) {
			return reconcile.Result{}, nil
		}
		if wait := build.Status.Webhook.NextTime.Sub(h.now()); wait > 0 {
			return reconcile.Result{RequeueAfter: wait}, nil
		}
	}
	before := build.DeepCopy()
	delivery := build.Status.Webhook
	delivery.NextTime = nil
	gone, err := h.imageGone(ctx, &build)
	if err != nil {
		return reconcile.Result{}, err
	}
	var image v1alpha1.Image
	if !gone {
		err = h.Get(ctx, client.ObjectKey{Namespace: build.Namespace, Name: build.Spec.Image.Name}, &image)
	}
	switch hook := image.Spec.Webhook; {
	case client.IgnoreNotFound(err) != nil:
		return reconcile.Result{}, err
	case hook == nil:
		delivery.Message = "The webhook was deleted before it was told."
	case !h.keys.Known():
		h.log.Error("a webhook cannot be signed: set --signing-keys (DRYDOCK_SIGNING_KEYS)", "namespace", build.Namespace, "build", build.Name)
		delivery.Message = "The operator of this installation has to set --signing-keys."
	default:
		if err := h.attempt(ctx, &build, &image); err != nil {
			return reconcile.Result{}, err
		}
	}
	err = client.IgnoreNotFound(h.Status().Patch(ctx, &build, client.MergeFrom(before)))
	if next := delivery.NextTime; next != nil && err == nil {
		return reconcile.Result{RequeueAfter: max(next.Sub(h.now()), time.Millisecond)}, nil
	}
	return reconcile.Result{}, err
}

// attempt sends, and notes in the build's status how it ended.
func (h *hooks) attempt(ctx context.Context, build *v1alpha1.Build, image *v1alpha1.Image) error {
	body, err := json.Marshal(h.notice(build))
	if err != nil {
		return err
	}
	hook, delivery := image.Spec.Webhook, build.Status.Webhook
	status, problem := h.sender.Send(ctx, webhook.Delivery{
		URL: hook.URL, ID: string(build.UID), Event: eventEnded, Body: body,
		Secret: h.keys.Secret(signing.OutgoingWebhook, hook.Identity(string(image.UID))),
	})
	if ctx.Err() != nil { // the end of this process is no fault of the receiver's
		return ctx.Err()
	}
	delivery.Attempts++
	delivery.LastStatus, delivery.Message = int32(status), problem
	outcome := "failed"
	switch attempt := int(delivery.Attempts); {
	case problem == "":
		outcome = "delivered"
		delivery.DeliveredTime = new(metav1.NewTime(h.now()))
	case attempt > len(h.pauses):
		outcome = "given up"
		h.log.Warn("a webhook is given up", "namespace", build.Namespace, "build", build.Name, "attempts", attempt, "status", status)
	default:
		delivery.NextTime = new(metav1.NewTime(h.now().Add(h.pauses[attempt-1])))
	}
	h.metrics.hooks.WithLabelValues(outcome).Inc()
	return nil
}
