package controller

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"syscall"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// result is what a strategy's container says at its end: JSON in its termination
// message. Kubernetes cuts that at 4,096 bytes, so tags come without the destination.
type result struct {
	Commit  string   `json:"commit"`
	Digest  string   `json:"digest"`
	Tags    []string `json:"tags"`
	Bases   []string `json:"bases"`
	Reason  string   `json:"reason"`
	Message string   `json:"message"`
}

// maxBases bounds status.bases.
const maxBases = 64

var (
	commitForm = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	baseForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,511}$`)
)

// strategyReasons are the reasons that a strategy may give.
var strategyReasons = []string{
	v1alpha1.ReasonCloneFailed,
	v1alpha1.ReasonDockerfileMissing,
	v1alpha1.ReasonBuildFailed,
	v1alpha1.ReasonPushDenied,
	v1alpha1.ReasonOutOfMemory,
	v1alpha1.ReasonPlatformUnsupported,
	v1alpha1.ReasonInfrastructure,
}

// references are what was pushed, each once.
func (r result) references(destination string) []string {
	var references []string
	for _, tag := range r.Tags {
		if reference := destination + ":" + tag; !slices.Contains(references, reference) {
			references = append(references, reference)
		}
	}
	return references
}

// baseImages are the strategy's bases, name[:tag][@digest] each; what is none is left out.
func (r result) baseImages() []v1alpha1.BaseImage {
	var found []v1alpha1.BaseImage
	for _, base := range r.Bases {
		reference, digest, _ := strings.Cut(base, "@")
		if baseForm.MatchString(reference) && (digest == "" || digestForm.MatchString(digest)) && len(found) < maxBases {
			found = append(found, v1alpha1.BaseImage{Reference: reference, Digest: digest})
		}
	}
	return found
}

// resultOf gathers what a pod's containers said; a later container adds to an earlier one.
func resultOf(pod *corev1.Pod) result {
	var found result
	for _, status := range containerStatuses(pod) {
		if end := status.State.Terminated; end != nil {
			// Text that is no JSON says nothing: the exit code tells.
			_ = json.Unmarshal([]byte(end.Message), &found)
		}
	}
	if !commitForm.MatchString(found.Commit) {
		found.Commit = ""
	}
	if !digestForm.MatchString(found.Digest) {
		found.Digest, found.Tags = "", nil
	}
	return found
}

// conclude is the verdict over a build whose pod ended or is gone, by what Job and
// pod show, and what the strategy said.
func conclude(build *v1alpha1.Build, run run) (verdict, result) {
	pod := run.pod
	if pod == nil {
		if run.job != nil {
			if end := jobEnded(run.job); end != nil && end.Reason == batchv1.JobReasonDeadlineExceeded {
				return timedOut(build), result{}
			}
		}
		return failed(v1alpha1.ReasonInfrastructure, "The build's pod was lost. %s", startedAgain(build)), result{}
	}
	said := resultOf(pod)
	switch {
	case pod.Status.Phase == corev1.PodSucceeded && said.Digest != "":
		return verdict{v1alpha1.PhaseSucceeded, v1alpha1.ReasonPushed, "Every tag was pushed."}, said
	case pod.Status.Phase == corev1.PodSucceeded:
		return failed(v1alpha1.ReasonInfrastructure, "The build strategy told of no digest. %s", startedAgain(build)), said
	case pod.Status.Reason == "DeadlineExceeded":
		return timedOut(build), unpushed(said)
	case outOfMemory(pod):
		return failed(v1alpha1.ReasonOutOfMemory, "The build used more than the plan's %s of memory.", build.Spec.Limits.Memory.String()), unpushed(said)
	case run.job != nil && jobEnded(run.job) != nil && jobEnded(run.job).Reason == batchv1.JobReasonDeadlineExceeded:
		return timedOut(build), unpushed(said)
	case !pod.DeletionTimestamp.IsZero():
		return failed(v1alpha1.ReasonInfrastructure, "The build's pod was deleted while it ran. %s", startedAgain(build)), unpushed(said)
	case slices.Contains(strategyReasons, said.Reason):
		return failed(said.Reason, "%s", said.Message), unpushed(said)
	case endedItself(pod):
		return failed(v1alpha1.ReasonBuildFailed, "%s A step of the build asked it to end.", podEnd(pod)), unpushed(said)
	default:
		return failed(v1alpha1.ReasonInfrastructure, "%s %s", podEnd(pod), startedAgain(build)), unpushed(said)
	}
}

// endedItself tells whether a container was ended by SIGTERM from within: nobody wanted the
// pod gone. Steps of a build may share the processes of the strategy that runs them, and
// what is nobody's fault costs nothing.
func endedItself(pod *corev1.Pod) bool {
	disrupted := slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue
	})
	return pod.Status.Reason == "" && !disrupted && slices.ContainsFunc(containerStatuses(pod), func(status corev1.ContainerStatus) bool {
		end := status.State.Terminated
		return end != nil && end.Reason == "Error" && end.ExitCode == 128+int32(syscall.SIGTERM)
	})
}

// unpushed keeps of a failed build's result what holds all the same.
func unpushed(said result) result { return result{Commit: said.Commit} }

func timedOut(build *v1alpha1.Build) verdict {
	return failed(v1alpha1.ReasonTimeout, "The build ran longer than its timeout of %s.", timeout(build))
}

func outOfMemory(pod *corev1.Pod) bool {
	return slices.ContainsFunc(containerStatuses(pod), func(status corev1.ContainerStatus) bool {
		return status.State.Terminated != nil && status.State.Terminated.Reason == "OOMKilled"
	})
}

// podEnd tells in words how a pod failed that said nothing itself.
func podEnd(pod *corev1.Pod) string {
	for _, status := range containerStatuses(pod) {
		if end := status.State.Terminated; end != nil && end.ExitCode != 0 {
			return fmt.Sprintf("The build's container %s ended with exit code %d (%s).", status.Name, end.ExitCode, end.Reason)
		}
	}
	if pod.Status.Message != "" {
		return fmt.Sprintf("The build's pod failed (%s: %s).", pod.Status.Reason, pod.Status.Message)
	}
	return "The build's pod failed without a word."
}
