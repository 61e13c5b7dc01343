package controller

import (
	"context"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// run is what there is of a running build: its Job and its pod, each nil where it is gone.
type run struct {
	job *batchv1.Job
	pod *corev1.Pod
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=batch,resources=jobs,verbs=get

// observe reads a build's Job and pod from the cache; that one is gone counts only
// when the API server says so too.
func (r *runs) observe(ctx context.Context, build *v1alpha1.Build) (run, error) {
	var found run
	for _, reader := range []client.Reader{r.Client, r.live} {
		var job batchv1.Job
		err := reader.Get(ctx, keyOf(build), &job)
		if err == nil && metav1.IsControlledBy(&job, build) {
			found.job = &job
			break
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return found, err
		}
	}
	var pods corev1.PodList
	err := r.List(ctx, &pods, client.InNamespace(build.Namespace), client.MatchingLabels{v1alpha1.LabelBuild: build.Name})
	if err == nil && len(pods.Items) == 0 && (found.job == nil || jobEnded(found.job) != nil) {
		pods.Items, err = r.livePods(ctx, build)
	}
	if len(pods.Items) > 0 {
		newest := slices.MaxFunc(pods.Items, func(a, b corev1.Pod) int {
			return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
		})
		found.pod = &newest
	}
	return found, err
}

func (r *runs) livePods(ctx context.Context, build *v1alpha1.Build) ([]corev1.Pod, error) {
	var pods corev1.PodList
	err := r.live.List(ctx, &pods, client.InNamespace(build.Namespace), client.MatchingLabels{v1alpha1.LabelBuild: build.Name})
	return pods.Items, err
}

// ended tells whether nothing runs any more, and nothing will.
func (r run) ended() bool {
	if r.pod != nil {
		return podEnded(r.pod)
	}
	return r.job != nil && jobEnded(r.job) != nil
}

// startTime is when the first container started; nil where no container tells.
func (r run) startTime() *metav1.Time {
	var first *metav1.Time
	if r.pod == nil {
		return nil
	}
	for _, status := range containerStatuses(r.pod) {
		var started metav1.Time
		switch {
		case status.State.Running != nil:
			started = status.State.Running.StartedAt
		case status.State.Terminated != nil:
			started = status.State.Terminated.StartedAt
		}
		if !started.IsZero() && (first == nil || started.Before(first)) {
			first = &started
		}
	}
	return first
}

// endTime is when the last container ended; zero where no container tells.
func (r run) endTime() time.Time {
	var last time.Time
	if r.pod == nil {
		return last
	}
	for _, status := range containerStatuses(r.pod) {
		if end := status.State.Terminated; end != nil && end.FinishedAt.After(last) {
			last = end.FinishedAt.Time
		}
	}
	return last
}

// pendingWhy says what a pod that has not started waits for.
func (r run) pendingWhy() string {
	if r.pod == nil {
		return "it is not there yet."
	}
	for _, condition := range r.pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return condition.Message
		}
	}
	for _, status := range containerStatuses(r.pod) {
		if wait := status.State.Waiting; wait != nil && wait.Message != "" {
			return wait.Reason + ": " + wait.Message
		}
	}
	return "its node prepares it."
}

// jobEnded is the condition that says that a Job has ended, nil where it has not.
func jobEnded(job *batchv1.Job) *batchv1.JobCondition {
	for i, condition := range job.Status.Conditions {
		if condition.Status == corev1.ConditionTrue && (condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) {
			return &job.Status.Conditions[i]
		}
	}
	return nil
}

// containerStatuses are all of a pod's, in the order in which the containers run.
func containerStatuses(pod *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
}

func podStarted(pod *corev1.Pod) bool {
	return slices.ContainsFunc(containerStatuses(pod), func(status corev1.ContainerStatus) bool {
		return status.State.Running != nil || status.State.Terminated != nil
	})
}

// podEnded tells whether no container of a pod runs or will run.
func podEnded(pod *corev1.Pod) bool {
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return true
	}
	return !pod.DeletionTimestamp.IsZero() && len(pod.Status.ContainerStatuses) > 0 && !slices.ContainsFunc(pod.Status.ContainerStatuses, func(status corev1.ContainerStatus) bool {
		return status.State.Terminated == nil
	})
}
