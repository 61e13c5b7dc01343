package node

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// initialStatus is that of a pod whose containers wait.
func initialStatus(n *Node, object *corev1.Pod, containers []*container) corev1.PodStatus {
	status := *object.Status.DeepCopy()
	status.Phase = corev1.PodPending
	status.HostIP, status.PodIP = n.options.Address, n.options.Address
	status.HostIPs, status.PodIPs = []corev1.HostIP{{IP: status.HostIP}}, []corev1.PodIP{{IP: status.PodIP}}
	if status.StartTime == nil {
		start := metav1.Now()
		status.StartTime = &start
	}
	status.InitContainerStatuses = make([]corev1.ContainerStatus, 0, len(object.Spec.InitContainers))
	status.ContainerStatuses = make([]corev1.ContainerStatus, 0, len(object.Spec.Containers))
	reason := "ContainerCreating"
	if len(object.Spec.InitContainers) > 0 {
		reason = "PodInitializing"
	}
	for _, c := range containers {
		started := false
		one := corev1.ContainerStatus{
			Name: c.spec.Name, Image: c.spec.Image, Started: &started,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}},
		}
		if c.init {
			status.InitContainerStatuses = append(status.InitContainerStatuses, one)
		} else {
			status.ContainerStatuses = append(status.ContainerStatuses, one)
		}
	}
	return status
}

// settle derives the pod's phase and conditions from its containers. final: none of them will start again.
func settle(status *corev1.PodStatus, final bool, order *stopOrder) {
	initialized := true
	for _, one := range status.InitContainerStatuses {
		initialized = initialized && one.State.Terminated != nil && one.State.Terminated.ExitCode == 0
	}
	ready, started, failed := true, false, !initialized
	for i := range status.ContainerStatuses {
		one := &status.ContainerStatuses[i]
		one.Ready = one.State.Running != nil
		ready = ready && one.Ready
		started = started || one.State.Waiting == nil || one.RestartCount > 0
		failed = failed || one.State.Terminated == nil || one.State.Terminated.ExitCode != 0
	}
	for i := range status.InitContainerStatuses {
		one := &status.InitContainerStatuses[i]
		one.Ready = one.State.Terminated != nil && one.State.Terminated.ExitCode == 0
	}
	switch {
	case final && (failed || order != nil && order.failed):
		status.Phase = corev1.PodFailed
	case final:
		status.Phase = corev1.PodSucceeded
	case initialized && started:
		status.Phase = corev1.PodRunning
	default:
		status.Phase = corev1.PodPending
	}
	if final && order != nil && order.reason != "" {
		status.Reason, status.Message = order.reason, order.message
	}
	notReady := "ContainersNotReady"
	switch status.Phase {
	case corev1.PodSucceeded:
		notReady = "PodCompleted"
	case corev1.PodFailed:
		notReady = "PodFailed"
	}
	setCondition(status, corev1.PodReadyToStartContainers, !final, "")
	setCondition(status, corev1.PodInitialized, initialized, "ContainersNotInitialized")
	setCondition(status, corev1.ContainersReady, ready, notReady)
	setCondition(status, corev1.PodReady, ready, notReady)
}

// setCondition writes a condition; reason is why it is false.
func setCondition(status *corev1.PodStatus, kind corev1.PodConditionType, holds bool, reason string) {
	condition := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}
	if !holds {
		condition.Status, condition.Reason = corev1.ConditionFalse, reason
	} else if status.Phase == corev1.PodSucceeded && kind == corev1.PodInitialized {
		condition.Reason = "PodCompleted"
	}
	for i, old := range status.Conditions {
		if old.Type != kind {
			continue
		}
		if old.Status == condition.Status {
			condition.LastTransitionTime = old.LastTransitionTime
		}
		condition.ObservedGeneration = old.ObservedGeneration
		status.Conditions[i] = condition
		return
	}
	status.Conditions = append(status.Conditions, condition)
}
