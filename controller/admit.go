package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
)

// pass is one walk through an account's queue.
type pass struct {
	*queue
	running int              // builds that hold a place
	blocked bool             // an older build waits, so every later one does
	ready   bool             // and it waits for a place
	again   time.Duration    // when to walk again without an event; 0 for never
	quotas  map[string]quota // by login, asked once per pass
	holds   map[string]string
	newest  map[lane]*v1alpha1.Build // of automatic builds
}

// visit brings one queued build a step further: to its end, to its Job, or to wait.
func (p *pass) visit(ctx context.Context, entry queued) error {
	build := entry.build
	stop, err := p.stopped(ctx, build)
	if err != nil {
		return err
	}
	if stop == nil && entry.made == nil {
		if stop = p.superseded(build); stop != nil {
			if err := p.inherit(ctx, build); err != nil {
				return err
			}
		}
	}
	if entry.made == nil && stop == nil && p.blocked && build.Status.Phase != "" {
		return nil // it is said to wait: most builds of a long queue
	}
	build = build.DeepCopy() // the cache's
	switch {
	case entry.made != nil:
		return p.begin(ctx, build, *entry.made)
	case stop != nil:
		return p.end(ctx, build, *stop, p.now())
	case p.blocked:
		return p.settle(ctx, build, planLimit(build))
	}
	strategy, err := p.find.get(ctx)
	if err != nil {
		return p.wait(ctx, build, v1alpha1.ReasonInfrastructure, "Waits for the operator: "+err.Error()+".")
	}
	if missing := unsupported(strategy, build.Spec.Platforms); len(missing) > 0 {
		return p.end(ctx, build, failed(v1alpha1.ReasonPlatformUnsupported,
			"This installation cannot build for %s: take it out of the image's platforms.", strings.Join(missing, ", ")), p.now())
	}
	if p.running >= int(build.Spec.Limits.ConcurrentBuilds) {
		p.blocked = true
		return p.settle(ctx, build, planLimit(build))
	}
	if words := p.held(ctx, build); words != "" {
		return p.end(ctx, build, failed(v1alpha1.ReasonQuotaExceeded, "%s", words), p.now())
	}
	switch found := p.quota(ctx, build); {
	case found.err != nil:
		p.log.Warn("usage unknown, a build waits", "namespace", build.Namespace, "build", build.Name, "error", found.err)
		return p.wait(ctx, build, v1alpha1.ReasonPlanLimit, "Waits until billing tells the account's used build minutes: "+fault.PublicOf(found.err))
	case found.exceeded(build):
		return p.end(ctx, build, failed(v1alpha1.ReasonQuotaExceeded,
			"The plan's %d build minutes of this billing period are used up: choose a larger plan, or wait until %s.",
			*build.Spec.Limits.BuildMinutes, found.until.UTC().Format("2006-01-02 15:04 MST")), p.now())
	}
	if walled, err := p.walled(ctx, build, strategy); err != nil {
		return err
	} else if !walled {
		return p.wait(ctx, build, v1alpha1.ReasonInfrastructure, "Waits until the cluster has the account's limits.")
	}
	if words, err := p.turn(ctx, build); words != "" || err != nil {
		p.blocked = true
		return errors.Join(err, p.settle(ctx, build, verdict{v1alpha1.PhaseQueued, v1alpha1.ReasonClusterFull, words}))
	}
	kept, err := p.admit(ctx, build, strategy)
	if !kept {
		p.places.giveBack(build.Namespace)
	}
	return err
}

// planLimit is of builds that wait for others of their account.
func planLimit(build *v1alpha1.Build) verdict {
	return verdict{v1alpha1.PhaseQueued, v1alpha1.ReasonPlanLimit,
		fmt.Sprintf("Waits for an earlier build to end: the plan allows %d at once.", build.Spec.Limits.ConcurrentBuilds)}
}

// wait keeps a build, and all after it, in the queue, and looks again soon.
func (p *pass) wait(ctx context.Context, build *v1alpha1.Build, reason, message string) error {
	p.blocked, p.again = true, retryQueue
	return p.settle(ctx, build, verdict{v1alpha1.PhaseQueued, reason, message})
}

// admit starts a build that has a place. It tells whether the place is, or may be, in use.
func (p *pass) admit(ctx context.Context, cached *v1alpha1.Build, strategy *corev1.PodTemplate) (kept bool, err error) {
	build, err := p.stillWaits(ctx, cached)
	if err != nil || build == nil {
		return false, err
	}
	known, err := p.credentialsOf(ctx, build)
	if err != nil {
		return false, err
	}
	if !controllerutil.ContainsFinalizer(build, FinalizerMetering) {
		before := build.DeepCopy()
		controllerutil.AddFinalizer(build, FinalizerMetering)
		if err := p.Patch(ctx, build, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
			return false, err
		}
	}
	return p.start(ctx, build, makeJob(build, strategy, known))
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=batch,resources=jobs,verbs=create
// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds,verbs=patch
// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds/finalizers,verbs=update

// start makes the Job, which takes the build's place among the concurrent ones.
func (p *pass) start(ctx context.Context, build *v1alpha1.Build, job *batchv1.Job) (kept bool, err error) {
	switch err := p.Create(ctx, job); {
	case apierrors.IsAlreadyExists(err):
		// A build of the same name was deleted a moment ago, and its Job is about to go.
		return false, fmt.Errorf("the Job of an earlier build is still there: %w", err)
	case apierrors.IsInvalid(err) || apierrors.IsForbidden(err):
		return false, p.wait(ctx, build, v1alpha1.ReasonInfrastructure, "Waits for the operator: the cluster does not take the build's Job: "+err.Error())
	case err != nil:
		return true, err // perhaps it is made
	}
	p.running++
	return true, p.begin(ctx, build, job.CreationTimestamp)
}

// begin says in the status that the Job is there.
func (p *pass) begin(ctx context.Context, build *v1alpha1.Build, made metav1.Time) error {
	build.Status.StartTime = &made
	if err := p.settle(ctx, build, verdict{v1alpha1.PhaseRunning, v1alpha1.ReasonPending, "Waits for its pod to start."}); err != nil {
		return err
	}
	p.metrics.started(build)
	p.log.Info("build started", "namespace", build.Namespace, "build", build.Name, "running", p.running)
	return nil
}
