package controller

import (
	"context"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// maxMessage bounds status.message, in bytes.
const maxMessage = 1024

// verdict is where a build is to be: a phase, why, and words for people.
type verdict struct {
	phase           v1alpha1.BuildPhase
	reason, message string
}

// apply sets a verdict and the condition that goes with it; it tells whether
// anything changed.
func (v verdict) apply(build *v1alpha1.Build, now time.Time) bool {
	message := clip(v.message)
	status := &build.Status
	if status.Phase == v.phase && status.Reason == v.reason && status.Message == message {
		return false
	}
	status.Phase, status.Reason, status.Message = v.phase, v.reason, message
	succeeded := metav1.ConditionUnknown
	if v.phase == v1alpha1.PhaseSucceeded {
		succeeded = metav1.ConditionTrue
	} else if v.phase.Done() {
		succeeded = metav1.ConditionFalse
	}
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type:               v1alpha1.ConditionSucceeded,
		Status:             succeeded,
		Reason:             v.reason,
		Message:            message,
		ObservedGeneration: build.Generation,
		LastTransitionTime: metav1.NewTime(now),
	})
	return true
}

func clip(message string) string {
	if len(message) > maxMessage {
		message = message[:maxMessage-3] + "..."
	}
	return strings.ToValidUTF8(message, "")
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds/status,verbs=update

// settle writes a verdict, where it is news. The write fails with a conflict when
// the build changed since it was read.
func (d deps) settle(ctx context.Context, build *v1alpha1.Build, v verdict) error {
	before := build.Status.Phase
	if !v.apply(build, d.now()) {
		return nil
	}
	if err := d.Status().Update(ctx, build); err != nil {
		return err
	}
	d.events.moved(build, before)
	return nil
}

// end writes a final verdict: the one place where a build ends.
func (d deps) end(ctx context.Context, build *v1alpha1.Build, v verdict, at time.Time) error {
	v.apply(build, d.now())
	completion := metav1.NewTime(at.Truncate(time.Second))
	if start := build.Status.StartTime; start != nil && completion.Before(start) {
		completion = *start
	}
	build.Status.CompletionTime = &completion
	if err := d.expectHook(ctx, build); err != nil {
		return err
	}
	if err := d.Status().Update(ctx, build); err != nil {
		return err
	}
	d.metrics.ended(build)
	d.events.ended(build)
	d.log.Info("build ended", "namespace", build.Namespace, "build", build.Name, "phase", v.phase, "reason", v.reason, "seconds", Seconds(build))
	return nil
}

// Seconds are what a build is billed: whole seconds from status.startTime (the
// start of its first container) to status.completionTime (the end of its last one), at
// least one. Both are times of whole seconds, so the difference is exact. It is 0 for
// a build that never ran, and for one that failed through no fault of its owner.
func Seconds(build *v1alpha1.Build) int64 {
	start, end := build.Status.StartTime, build.Status.CompletionTime
	if start == nil || end == nil || build.Status.Reason == v1alpha1.ReasonInfrastructure {
		return 0
	}
	return max(1, int64(end.Sub(start.Time)/time.Second))
}
