package controller

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"drydock.dev/drydock/api/v1alpha1"
)

const (
	// overtime is how long after the timeout the controller ends a build itself: the
	// node ends it before that, and then the log is whole.
	overtime = 5 * time.Second
	// logPatience is how long an ended build waits for the end of its log.
	logPatience = time.Minute
	// nodePatience is how long past its deletion a pod may stay before its node is
	// taken for dead.
	nodePatience = 5 * time.Minute
	// stopInterval is how often a build that is being ended is looked at without an event.
	stopInterval = 2 * time.Second
)

// runs follows running builds to their end.
type runs struct {
	deps
	logs *logKeeper
}

func (r *runs) setup(mgr manager.Manager, options controller.Options) error {
	if err := mgr.Add(r.logs); err != nil {
		return err
	}
	byLabel := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, object client.Object) []reconcile.Request {
		name := object.GetLabels()[v1alpha1.LabelBuild]
		return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: object.GetNamespace(), Name: name}}}
	})
	return builder.ControllerManagedBy(mgr).Named("runs").WithOptions(options).
		For(&v1alpha1.Build{}).
		Watches(&batchv1.Job{}, byLabel).
		Watches(&corev1.Pod{}, byLabel).
		Watches(&v1alpha1.Image{}, handler.EnqueueRequestsFromMapFunc(r.buildsOf), builder.WithPredicates(deletions)).
		WatchesRawSource(source.Channel(r.logs.grown, &handler.EnqueueRequestForObject{})).
		Complete(r)
}

// buildsOf are the running builds of an image.
func (r *runs) buildsOf(ctx context.Context, image client.Object) []reconcile.Request {
	var builds v1alpha1.BuildList
	err := r.List(ctx, &builds, client.InNamespace(image.GetNamespace()), client.MatchingFields{byImage: image.GetName()}, client.UnsafeDisableDeepCopy)
	if err != nil {
		r.log.Error("list an image's builds", "error", err)
	}
	var requests []reconcile.Request
	for i := range builds.Items {
		if builds.Items[i].Status.Phase == v1alpha1.PhaseRunning {
			requests = append(requests, reconcile.Request{NamespacedName: keyOf(&builds.Items[i])})
		}
	}
	return requests
}

// Reconcile brings a running build one step further, and clears up after an ended one.
func (r *runs) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var build v1alpha1.Build
	if err := r.Get(ctx, request.NamespacedName, &build); err != nil {
		if apierrors.IsNotFound(err) {
			r.logs.forget(request.NamespacedName)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if build.Status.Phase.Done() {
		r.logs.forget(request.NamespacedName)
		return r.clean(ctx, &build)
	}
	if build.Status.Phase != v1alpha1.PhaseRunning {
		return reconcile.Result{}, nil
	}
	run, err := r.observe(ctx, &build)
	if err != nil {
		return reconcile.Result{}, err
	}
	stop, err := r.due(ctx, &build, run)
	if err != nil {
		return reconcile.Result{}, err
	}
	switch {
	case run.ended():
		return calm(reconcile.Result{}, r.finish(ctx, &build, run, stop))
	case stop != nil:
		return calm(r.stop(ctx, &build, run, stop))
	default:
		deadline := build.Status.StartTime.Add(timeout(&build) + overtime)
		if run.pod != nil && !run.pod.DeletionTimestamp.IsZero() && run.pod.DeletionTimestamp.Add(nodePatience).Before(deadline) {
			deadline = run.pod.DeletionTimestamp.Add(nodePatience)
		}
		return calm(reconcile.Result{RequeueAfter: max(deadline.Sub(r.now()), time.Second)}, r.progress(ctx, &build, run))
	}
}

func timeout(build *v1alpha1.Build) time.Duration {
	return time.Duration(build.Spec.Limits.TimeoutSeconds) * time.Second
}

// due is the verdict over a build that must not run on; nil for any other.
func (r *runs) due(ctx context.Context, build *v1alpha1.Build, run run) (*verdict, error) {
	stop, err := r.stopped(ctx, build)
	if stop != nil || err != nil {
		return stop, err
	}
	var due verdict
	switch {
	case r.now().After(build.Status.StartTime.Add(timeout(build) + overtime)):
		due = timedOut(build)
		if run.pod == nil || !podStarted(run.pod) {
			due.message = fmt.Sprintf("No pod started within the build's timeout of %s: %s", timeout(build), run.pendingWhy())
		}
	case run.job == nil || !run.job.DeletionTimestamp.IsZero():
		due = failed(v1alpha1.ReasonInfrastructure, "The build's Job was deleted by somebody else. %s", startedAgain(build))
	case run.lost(r.now()):
		due = failed(v1alpha1.ReasonInfrastructure, "The build's node is lost. %s", startedAgain(build))
	default:
		return nil, nil
	}
	return &due, nil
}

// progress shows whether the pod runs, and what is kept of its log.
func (r *runs) progress(ctx context.Context, build *v1alpha1.Build, run run) error {
	v := verdict{v1alpha1.PhaseRunning, v1alpha1.ReasonPending, "Waits for its pod to start: " + run.pendingWhy()}
	if run.pod != nil && podStarted(run.pod) {
		v = verdict{v1alpha1.PhaseRunning, v1alpha1.ReasonBuilding, ""}
		build.Status.StartTime = run.startTime()
		if kept := r.logs.follow(ctx, build).status.Load(); !equality.Semantic.DeepEqual(kept, build.Status.Log) {
			build.Status.Log = kept
			v.apply(build, r.now())
			return r.Status().Update(ctx, build)
		}
	}
	return r.settle(ctx, build, v)
}

// finish keeps the log and writes the final verdict: the pod's own, or the one that
// ended the pod.
func (r *runs) finish(ctx context.Context, build *v1alpha1.Build, run run, stop *verdict) error {
	v, found := conclude(build, run)
	ofItself := run.pod != nil && run.pod.DeletionTimestamp.IsZero() && v.reason != v1alpha1.ReasonInfrastructure
	if stop != nil && v.phase != v1alpha1.PhaseSucceeded && !ofItself {
		v = *stop
	}
	at := run.endTime()
	if at.IsZero() {
		at = r.now()
		if run.lost(at) { // nobody pays for the wait for its node
			at = run.pod.DeletionTimestamp.Time
		}
	}
	switch ran := run.startTime(); {
	case ran != nil:
		build.Status.StartTime = ran
	case build.Status.Reason == v1alpha1.ReasonPending: // it never ran: nobody pays for waiting
		build.Status.StartTime = nil
	}
	if (run.pod != nil && podStarted(run.pod) || r.logs.follows(build)) && build.DeletionTimestamp.IsZero() {
		kept, err := r.logs.keep(ctx, build)
		if err != nil {
			return err
		}
		build.Status.Log = kept
	}
	build.Status.Commit, build.Status.Digest = found.Commit, found.Digest
	build.Status.References = found.references(build.Spec.Destination)
	build.Status.Bases = found.baseImages()
	return r.end(ctx, build, v, at)
}

// +kubebuilder:rbac:roleName=drydock-controller,groups="",resources=pods,verbs=delete

// stop ends a build's pod by deleting its Job, and the build once the pod is gone.
// The log is kept first: it goes with the pod.
func (r *runs) stop(ctx context.Context, build *v1alpha1.Build, run run, v *verdict) (reconcile.Result, error) {
	again := reconcile.Result{RequeueAfter: stopInterval}
	deleting := run.job == nil || !run.job.DeletionTimestamp.IsZero()
	if !deleting && run.pod != nil && podStarted(run.pod) && build.DeletionTimestamp.IsZero() {
		kept, err := r.logs.keepSoFar(ctx, build)
		if err != nil {
			r.log.Warn("the log of a build that is being ended is not there", "namespace", build.Namespace, "build", build.Name, "error", err)
		}
		build.Status.Log = kept
		if err := r.settle(ctx, build, verdict{v1alpha1.PhaseRunning, build.Status.Reason, "Is being ended. " + v.message}); err != nil {
			return again, err
		}
	}
	if !deleting {
		return again, client.IgnoreNotFound(r.deleteJob(ctx, run.job, metav1.DeletePropagationForeground))
	}
	pods, err := r.livePods(ctx, build)
	if err != nil {
		return again, err
	}
	for i := range pods {
		pod := &pods[i]
		switch {
		case podEnded(pod):
		case pod.DeletionTimestamp.IsZero():
			return again, client.IgnoreNotFound(r.Delete(ctx, pod))
		case r.now().Before(pod.DeletionTimestamp.Add(nodePatience)):
			return again, nil
		}
		run.pod = pod
	}
	return reconcile.Result{}, r.finish(ctx, build, run, v)
}

// clean deletes the Job of an ended build, and so its pod: at once where that has not
// ended too, so that nothing runs on for nothing, else a while after the build's end.
func (r *runs) clean(ctx context.Context, build *v1alpha1.Build) (reconcile.Result, error) {
	if err := r.Get(ctx, keyOf(build), &batchv1.Job{}); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err) // most ended builds: no request is made for them
	}
	run, err := r.observe(ctx, build)
	if err != nil || run.job == nil || !run.job.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, err
	}
	if end := build.Status.CompletionTime; run.ended() && end != nil {
		if wait := end.Add(jobKept).Sub(r.now()); wait > 0 {
			return reconcile.Result{RequeueAfter: wait}, nil
		}
	}
	return reconcile.Result{}, client.IgnoreNotFound(r.deleteJob(ctx, run.job, metav1.DeletePropagationBackground))
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=batch,resources=jobs,verbs=delete

func (r *runs) deleteJob(ctx context.Context, job *batchv1.Job, how metav1.DeletionPropagation) error {
	return r.Delete(ctx, job, client.PropagationPolicy(how), client.Preconditions{UID: &job.UID})
}
