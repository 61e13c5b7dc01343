package controller

import (
	"context"
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
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
	again   time.Duration    // when to walk again without an event; 0 for never
	quotas  map[string]quota // by login, asked once per pass
	holds   map[string]string
}

// visit brings one queued build a step further: to its end, to its Job, or to wait.
func (p *pass) visit(ctx context.Context, entry queued) error {
	build := entry.build
	if entry.job != nil {
		return p.begin(ctx, build, entry.job.CreationTimestamp)
	}
	stop, err := p.stopped(ctx, build)
	if err != nil {
		return err
	}
	if stop != nil {
		return p.end(ctx, build, *stop, p.now())
	}
	strategy, err := p.find.get(ctx)
	if err != nil {
		return p.wait(ctx, build, v1alpha1.ReasonInfrastructure, "Waits for the operator: "+err.Error()+".")
	}
	if missing := unsupported(strategy, build.Spec.Platforms); len(missing) > 0 {
		return p.end(ctx, build, failed(v1alpha1.ReasonPlatformUnsupported,
			"This installation cannot build for %s: take it out of the image's platforms.", strings.Join(missing, ", ")), p.now())
	}
	if limit := int(build.Spec.Limits.ConcurrentBuilds); p.blocked || p.running >= limit {
		p.blocked = true
		return p.settle(ctx, build, verdict{v1alpha1.PhaseQueued, v1alpha1.ReasonPlanLimit,
			fmt.Sprintf("Waits for an earlier build to end: the plan allows %d at once.", limit)})
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
	known, err := p.registriesOf(ctx, build)
	if err != nil {
		return err
	}
	return p.start(ctx, build, makeJob(build, strategy, known))
}

// wait keeps a build, and all after it, in the queue, and looks again soon.
func (p *pass) wait(ctx context.Context, build *v1alpha1.Build, reason, message string) error {
	p.blocked, p.again = true, retryQueue
	return p.settle(ctx, build, verdict{v1alpha1.PhaseQueued, reason, message})
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=batch,resources=jobs,verbs=create
// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds,verbs=patch
// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds/finalizers,verbs=update

// start makes the Job, which takes the build's place among the concurrent ones.
func (p *pass) start(ctx context.Context, build *v1alpha1.Build, job *batchv1.Job) error {
	p.running++
	if !controllerutil.ContainsFinalizer(build, FinalizerMetering) {
		before := build.DeepCopy()
		controllerutil.AddFinalizer(build, FinalizerMetering)
		if err := p.Patch(ctx, build, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
			return err
		}
	}
	err := p.Create(ctx, job)
	if apierrors.IsAlreadyExists(err) {
		// A build of the same name was deleted a moment ago, and its Job is about to go.
		return fmt.Errorf("the Job of an earlier build is still there: %w", err)
	}
	if apierrors.IsInvalid(err) || apierrors.IsForbidden(err) {
		return p.wait(ctx, build, v1alpha1.ReasonInfrastructure, "Waits for the operator: the cluster does not take the build's Job: "+err.Error())
	}
	if err != nil {
		return err
	}
	return p.begin(ctx, build, job.CreationTimestamp)
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
