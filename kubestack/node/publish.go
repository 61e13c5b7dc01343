package node

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podutil "k8s.io/kubernetes/pkg/util/pod"
)

const (
	publishTimeout  = 10 * time.Second
	publishRetry    = 100 * time.Millisecond
	publishRetryMax = 5 * time.Second
)

// change alters the pod's status and has it published.
func (p *pod) change(alter func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	alter()
	settle(&p.status, p.final, p.order)
	select {
	case p.changed <- struct{}{}:
	default: // the publisher has not yet taken the last change, and will take this one with it
	}
}

// publish writes the newest status to the API after each change, until there will be no more. A node that stops tells no
// more: its pods are for the next node to account for, see recover.
func (p *pod) publish() {
	for range p.changed {
		wait := publishRetry
		for p.node.stopping.Err() == nil && !p.patchStatus() {
			select {
			case <-p.node.stopping.Done():
			case <-time.After(wait):
				wait = min(2*wait, publishRetryMax)
			}
		}
	}
}

// patchStatus says whether the API has the newest status now, or has no use for it. The patch touches what changed since the
// last one and nothing else, as the kubelet's does: conditions and finalizers of others stay.
func (p *pod) patchStatus() bool {
	p.mu.Lock()
	object, status := p.object, *p.status.DeepCopy()
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(p.node.stopping, publishTimeout)
	defer cancel()
	_, _, _, err := podutil.PatchPodStatus(ctx, p.node.client, object.Namespace, object.Name, object.UID, p.published, status)
	if err == nil {
		p.published = status
		return true
	}
	if isGone(err) {
		return true
	}
	p.node.log.Warn("write pod status", "pod", object.Namespace+"/"+object.Name, "error", err)
	return false
}

// deleteObject ends the deletion that somebody asked for: the pod's processes are gone.
func (p *pod) deleteObject() {
	p.mu.Lock()
	object := p.object
	p.mu.Unlock()
	wait := publishRetry
	for p.node.stopping.Err() == nil {
		ctx, cancel := context.WithTimeout(p.node.stopping, publishTimeout)
		options := metav1.NewDeleteOptions(0)
		options.Preconditions = metav1.NewUIDPreconditions(string(object.UID))
		err := p.node.client.CoreV1().Pods(object.Namespace).Delete(ctx, object.Name, *options)
		cancel()
		if err == nil || isGone(err) {
			return
		}
		p.node.log.Warn("delete pod", "pod", object.Namespace+"/"+object.Name, "error", err)
		time.Sleep(wait)
		wait = min(2*wait, publishRetryMax)
	}
}

// isGone says that the API no longer has the pod, or has another of the same name.
func isGone(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsConflict(err)
}
