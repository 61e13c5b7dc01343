package node

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// shutdownGrace is how long containers have after SIGTERM when the node itself stops.
const shutdownGrace = 2 * time.Second

// stopOrder says that a pod has to end: SIGTERM now, SIGKILL after the grace. The first order's reason is the pod's.
type stopOrder struct {
	grace           time.Duration
	reason, message string
	failed          bool // the pod has failed whatever its containers' exit codes
}

// pod is one pod's run, from the moment the node first sees it until its processes are gone and the API knows.
type pod struct {
	node       *Node
	uid        types.UID
	policy     corev1.RestartPolicy
	dir        string
	containers []*container // init containers first
	term, kill context.Context
	cancelTerm context.CancelFunc
	cancelKill context.CancelFunc
	ended      chan struct{} // closed after run
	changed    chan struct{} // wakes the publisher

	mu        sync.Mutex
	object    *corev1.Pod // the newest known
	status    corev1.PodStatus
	order     *stopOrder
	killAt    time.Time
	deadline  *time.Timer
	final     bool             // no container will start again
	published corev1.PodStatus // what the API has
}

func newPod(n *Node, object *corev1.Pod) *pod {
	p := &pod{
		node: n, uid: object.UID, policy: object.Spec.RestartPolicy, dir: n.options.podDir(object.UID), object: object, published: *object.Status.DeepCopy(),
		ended: make(chan struct{}), changed: make(chan struct{}, 1),
	}
	p.term, p.cancelTerm = context.WithCancel(context.Background())
	p.kill, p.cancelKill = context.WithCancel(context.Background())
	context.AfterFunc(n.stopping, func() { p.stop(stopOrder{grace: shutdownGrace}) })
	p.containers = newContainers(p)
	p.status = initialStatus(n, object, p.containers)
	return p
}

// run takes the pod from its first container to its last status.
func (p *pod) run() {
	defer close(p.ended)
	defer p.cancelKill()
	defer p.cancelTerm()
	runs := true
	if p.startedBefore() {
		runs = p.recover()
	} else {
		p.change(func() {}) // addresses and waiting containers
	}
	var publishing sync.WaitGroup
	publishing.Go(p.publish)
	if runs {
		p.runContainers()
	}
	p.change(func() { p.final = true })
	close(p.changed)
	publishing.Wait()
	p.removeVolumes()
	p.mu.Lock()
	deleted := p.object.DeletionTimestamp != nil
	p.mu.Unlock()
	if deleted && p.node.stopping.Err() == nil {
		p.deleteObject()
	}
}

func (p *pod) runContainers() {
	volumes, ok := p.prepareVolumes()
	if !ok {
		return
	}
	var mains []*container
	for _, c := range p.containers {
		c.volumes = volumes
		if !c.init {
			mains = append(mains, c)
			continue
		}
		if c.run() != 0 || p.term.Err() != nil {
			return
		}
	}
	var running sync.WaitGroup
	for _, c := range mains {
		running.Go(func() { c.run() })
	}
	running.Wait()
}

// update takes note of the pod's newest object: it may be deleted, or have another deadline.
func (p *pod) update(object *corev1.Pod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.object = object
	if object.DeletionTimestamp != nil {
		grace := time.Duration(0)
		if object.DeletionGracePeriodSeconds != nil {
			grace = time.Duration(*object.DeletionGracePeriodSeconds) * time.Second
		}
		p.stopLocked(stopOrder{grace: grace})
		select {
		case <-p.ended: // the deletion crossed with the last status
			p.node.wait.Go(p.deleteObject)
		default:
		}
	}
	if p.deadline != nil {
		p.deadline.Stop()
	}
	if seconds := object.Spec.ActiveDeadlineSeconds; seconds != nil {
		at := p.status.StartTime.Add(time.Duration(*seconds) * time.Second)
		p.deadline = time.AfterFunc(time.Until(at), func() {
			p.stop(stopOrder{
				grace:  gracePeriod(object),
				reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline", failed: true,
			})
		})
	}
}

// stop makes the pod's containers end. A later order can only shorten the grace.
func (p *pod) stop(order stopOrder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopLocked(order)
}

func (p *pod) stopLocked(order stopOrder) {
	if p.order == nil {
		p.order = &order
	}
	p.cancelTerm()
	at := time.Now().Add(order.grace)
	if p.killAt.IsZero() || at.Before(p.killAt) {
		p.killAt = at
		time.AfterFunc(order.grace, p.cancelKill)
	}
}

func gracePeriod(object *corev1.Pod) time.Duration {
	seconds := int64(corev1.DefaultTerminationGracePeriodSeconds)
	if object.Spec.TerminationGracePeriodSeconds != nil {
		seconds = *object.Spec.TerminationGracePeriodSeconds
	}
	return time.Duration(seconds) * time.Second
}

// current is the newest object of the pod with the newest status: what the downward API shows.
func (p *pod) current() *corev1.Pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	object := p.object.DeepCopy()
	object.Status = *p.status.DeepCopy()
	return object
}

func (p *pod) event(kind, reason, format string, args ...any) {
	p.mu.Lock()
	object := p.object
	p.mu.Unlock()
	p.node.recorder.Eventf(object, kind, reason, format, args...)
}

// sleep waits for a time and says whether the pod still runs then.
func (p *pod) sleep(duration time.Duration) bool {
	select {
	case <-p.term.Done():
		return false
	case <-time.After(duration):
		return true
	}
}

func (p *pod) path(elements ...string) string {
	return filepath.Join(append([]string{p.dir}, elements...)...)
}
