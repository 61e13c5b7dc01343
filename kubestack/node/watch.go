package node

import (
	"context"
	"errors"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// forcedGrace is how long a pod's processes have after SIGTERM when the pod is gone from the API without a grace period.
const forcedGrace = time.Second

// watchPods follows the pods bound to this node, from the present state on, until ctx ends.
func (n *Node) watchPods(ctx context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(n.client, 0, informers.WithTweakListOptions(func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", n.options.Name).String()
	}))
	pods := factory.Core().V1().Pods()
	informer := pods.Informer()
	n.lister = pods.Lister()
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { n.sync(object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { n.sync(object.(*corev1.Pod)) },
		DeleteFunc: func(object any) {
			if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = unknown.Obj
			}
			n.forget(object.(*corev1.Pod))
		},
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
		return errors.New("stopped before the pods were known")
	}
	known := map[string]bool{}
	for _, object := range informer.GetStore().List() {
		known[string(object.(*corev1.Pod).UID)] = true
	}
	n.removeLeftovers(known)
	return nil
}

// sync brings one pod's processes in line with its object.
func (n *Node) sync(object *corev1.Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	running, ok := n.pods[object.UID]
	if !ok {
		if object.Status.Phase == corev1.PodSucceeded || object.Status.Phase == corev1.PodFailed || n.stopping.Err() != nil {
			return
		}
		running = newPod(n, object)
		n.pods[object.UID] = running
		n.wait.Go(running.run)
	}
	running.update(object)
}

// forget ends what is left of a pod that is no more, and removes its directory.
func (n *Node) forget(object *corev1.Pod) {
	n.mu.Lock()
	running, ok := n.pods[object.UID]
	delete(n.pods, object.UID)
	n.mu.Unlock()
	n.wait.Go(func() {
		if ok {
			running.stop(stopOrder{grace: forcedGrace})
			<-running.ended
		}
		n.removeDir(object.UID)
	})
}

// removeLeftovers removes the directories of pods that were deleted while no node ran.
func (n *Node) removeLeftovers(known map[string]bool) {
	entries, err := os.ReadDir(n.options.podsDir())
	if err != nil {
		n.log.Warn("list pod directories", "error", err)
		return
	}
	for _, entry := range entries {
		if !known[entry.Name()] {
			n.removeDir(types.UID(entry.Name()))
		}
	}
}

func (n *Node) removeDir(uid types.UID) {
	if err := os.RemoveAll(n.options.podDir(uid)); err != nil {
		n.log.Warn("remove pod directory", "uid", uid, "error", err)
	}
}
