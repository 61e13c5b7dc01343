package node

import (
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	lostReason          = "NodeLost"
	lostMessage         = "The node stopped while the pod was running; its processes ended with the node"
	statusUnknownReason = "ContainerStatusUnknown" // the kubelet's own word for it
)

// startedBefore says that an earlier node, which has ended, started a container of this pod. The log file is written before
// the process starts, so it knows even when the status never reached the API.
func (p *pod) startedBefore() bool {
	logs, err := filepath.Glob(p.path("containers", "*", "*.log"))
	if err == nil && len(logs) > 0 {
		return true
	}
	for _, one := range append(p.published.InitContainerStatuses, p.published.ContainerStatuses...) {
		if one.State.Running != nil || one.State.Terminated != nil {
			return true
		}
	}
	return false
}

// recover accounts for containers that ended with an earlier node. Nothing of them runs: the kernel ended them. A pod that
// never restarts has failed; of any other, recover says that its containers start again.
func (p *pod) recover() (again bool) {
	again = p.policy != corev1.RestartPolicyNever && p.term.Err() == nil
	before := map[string]corev1.ContainerStatus{}
	for _, one := range append(p.published.InitContainerStatuses, p.published.ContainerStatuses...) {
		before[one.Name] = one
	}
	p.change(func() {
		for _, c := range p.containers {
			one := c.status()
			old := before[one.Name]
			ended := old.State
			if ended.Terminated == nil {
				ended = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
					Reason: statusUnknownReason, Message: lostMessage, ExitCode: 137, ContainerID: old.ContainerID, FinishedAt: metav1.Now(),
				}}
				if old.State.Running != nil {
					ended.Terminated.StartedAt = old.State.Running.StartedAt
				}
			}
			one.RestartCount = old.RestartCount
			one.ContainerID = old.ContainerID
			if !again {
				one.State = ended
			} else if old.State.Running != nil || old.State.Terminated != nil {
				one.RestartCount++
				one.LastTerminationState = ended
			}
		}
		if !again {
			p.order = &stopOrder{reason: lostReason, message: lostMessage, failed: true}
		}
	})
	return again
}
