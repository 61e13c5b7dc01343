package controller

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

const (
	aCommit = "0123456789abcdef0123456789abcdef01234567"
	aDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func terminated(code int32, reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: "build", State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message},
	}}
}

func podOf(phase corev1.PodPhase, statuses ...corev1.ContainerStatus) *corev1.Pod {
	return &corev1.Pod{Status: corev1.PodStatus{Phase: phase, ContainerStatuses: statuses}}
}

func jobOf(kind batchv1.JobConditionType, reason string) *batchv1.Job {
	return &batchv1.Job{Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue, Reason: reason}}}}
}

func TestConclude(t *testing.T) {
	deleted := func(pod *corev1.Pod) *corev1.Pod {
		pod.DeletionTimestamp = &metav1.Time{Time: time.Now()}
		return pod
	}
	evicted := podOf(corev1.PodFailed)
	evicted.Status.Reason, evicted.Status.Message = "Evicted", "The node was low on resource: memory."
	drained := podOf(corev1.PodFailed, terminated(143, "Error", `{"reason":""}`))
	drained.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "TerminationByKubelet"}}
	overdue := podOf(corev1.PodFailed, terminated(143, "Error", `{"reason":"BuildFailed","message":"signal"}`))
	overdue.Status.Reason = "DeadlineExceeded"

	cases := []struct {
		reason  string
		run     run
		phase   v1alpha1.BuildPhase
		want    string // status.reason
		message string // part of it
		result  result
	}{
		{
			reason: "a pod that succeeded and told a digest is a success",
			run:    run{pod: podOf(corev1.PodSucceeded, terminated(0, "Completed", `{"commit":"`+aCommit+`","digest":"`+aDigest+`","tags":["a","b","a"]}`))},
			phase:  v1alpha1.PhaseSucceeded, want: v1alpha1.ReasonPushed,
			result: result{Commit: aCommit, Digest: aDigest, Tags: []string{"a", "b", "a"}},
		},
		{
			reason: "success without a digest is the strategy's fault",
			run:    run{pod: podOf(corev1.PodSucceeded, terminated(0, "Completed", `{"digest":"latest"}`))},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonInfrastructure, message: "no digest",
		},
		{
			reason: "what the strategy says of its failure holds, and the commit is kept",
			run:    run{pod: podOf(corev1.PodFailed, terminated(1, "Error", `{"commit":"`+aCommit+`","reason":"PushDenied","message":"no"}`))},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonPushDenied, message: "no", result: result{Commit: aCommit},
		},
		{
			reason: "a reason that no strategy may give is not passed on",
			run:    run{pod: podOf(corev1.PodFailed, terminated(1, "Error", `{"reason":"Cancelled","message":"no"}`))},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonInfrastructure, message: "exit code 1",
		},
		{
			reason: "a commit that is none is not passed on",
			run:    run{pod: podOf(corev1.PodFailed, terminated(1, "Error", `{"commit":"<b>","reason":"BuildFailed","message":"no"}`))},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonBuildFailed,
		},
		{
			reason: "out of memory counts before what the strategy says",
			run:    run{pod: podOf(corev1.PodFailed, terminated(137, "OOMKilled", `{"reason":"BuildFailed","message":"exit status 137"}`))},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonOutOfMemory, message: "2Gi",
		},
		{
			reason: "the pod's deadline counts before what the strategy says",
			run:    run{pod: overdue},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonTimeout, message: "1m30s",
		},
		{
			reason: "the Job's deadline counts when the pod is gone",
			run:    run{job: jobOf(batchv1.JobFailed, batchv1.JobReasonDeadlineExceeded)},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonTimeout,
		},
		{
			reason: "a pod that is gone is nobody's fault",
			run:    run{job: jobOf(batchv1.JobFailed, batchv1.JobReasonBackoffLimitExceeded)},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonInfrastructure, message: "lost",
		},
		{
			reason: "a pod that was deleted says nothing of the build",
			run:    run{pod: deleted(podOf(corev1.PodFailed, terminated(1, "Error", `{"reason":"BuildFailed","message":"signal"}`)))},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonInfrastructure, message: "deleted",
		},
		{
			reason: "an evicted pod is nobody's fault",
			run:    run{pod: evicted},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonInfrastructure, message: "low on resource",
		},
		{
			reason: "a build that ends its own container has to be paid for",
			run:    run{pod: podOf(corev1.PodFailed, terminated(143, "Error", `{"reason":""}`))},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonBuildFailed, message: "exit code 143",
		},
		{
			reason: "a node that shuts down is nobody's fault",
			run:    run{pod: drained},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonInfrastructure, message: "exit code 143",
		},
		{
			reason: "a container that could not start is nobody's fault",
			run:    run{pod: podOf(corev1.PodFailed, terminated(128, "StartError", "exec: sh: not found"))},
			phase:  v1alpha1.PhaseFailed, want: v1alpha1.ReasonInfrastructure, message: "StartError",
		},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			build := &v1alpha1.Build{}
			build.Spec.Limits = v1alpha1.BuildLimits{TimeoutSeconds: 90, Memory: resource.MustParse("2Gi")}
			got, said := conclude(build, c.run)
			if got.phase != c.phase || got.reason != c.want || !strings.Contains(got.message, c.message) {
				t.Errorf("got %+v, want %s, %s, %q", got, c.phase, c.want, c.message)
			}
			if diff := cmp.Diff(c.result, said); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReferencesNameEachTagOnce(t *testing.T) {
	got := result{Tags: []string{"a", "b", "a"}}.references("host/x")
	if diff := cmp.Diff([]string{"host/x:a", "host/x:b"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBaseImages(t *testing.T) {
	got := result{Bases: []string{
		"docker.io/library/alpine:3.20@" + aDigest, "host:5000/team/base@" + aDigest, "host/no-digest:v1",
		"host/short:v1@sha256:01", "<script>", "", "@" + aDigest, "host/" + strings.Repeat("a", 600),
	}}.baseImages()
	want := []v1alpha1.BaseImage{
		{Reference: "docker.io/library/alpine:3.20", Digest: aDigest}, {Reference: "host:5000/team/base", Digest: aDigest}, {Reference: "host/no-digest:v1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("what is no base is left out:", diff)
	}
	if got := (result{Bases: slices.Repeat([]string{"a:b"}, 100)}).baseImages(); len(got) != maxBases {
		t.Errorf("%d bases", len(got))
	}
}

func TestSeconds(t *testing.T) {
	at := func(seconds int64) *metav1.Time { return &metav1.Time{Time: time.Unix(seconds, 0)} }
	cases := []struct {
		reason     string
		start, end *metav1.Time
		want       int64
	}{
		{"whole seconds between start and end", at(100), at(161), 61},
		{"one at least for a build that ran", at(100), at(100), 1},
		{"nothing for a build that never started", nil, at(100), 0},
		{"one where a node's clock is behind", at(100), at(99), 1},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			build := &v1alpha1.Build{Status: v1alpha1.BuildStatus{StartTime: c.start, CompletionTime: c.end}}
			if got := Seconds(build); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestLost(t *testing.T) {
	now := time.Now()
	pod := func(gone time.Duration, statuses ...corev1.ContainerStatus) *corev1.Pod {
		pod := podOf(corev1.PodRunning, statuses...)
		pod.DeletionTimestamp = &metav1.Time{Time: now.Add(-gone)}
		return pod
	}
	running := corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	for _, c := range []struct {
		reason string
		pod    *corev1.Pod
		want   bool
	}{
		{"no pod", nil, false},
		{"one that runs", podOf(corev1.PodRunning, running), false},
		{"one that goes", pod(time.Minute, running), false},
		{"one whose node says nothing", pod(time.Hour, running), true},
		{"one whose node said that it ended", pod(time.Hour, terminated(1, "Error", "")), false},
	} {
		if got := (run{pod: c.pod}).lost(now); got != c.want {
			t.Errorf("%s: %v", c.reason, got)
		}
	}
}
