package controller_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
)

// TestSilentNode: a build whose node fell silent ends when it is cancelled, though nobody
// tells what became of its pod, nor gives the pod's log out. Nobody pays for the wait.
func TestSilentNode(t *testing.T) {
	w := newWorld(t)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "silent"}, Spec: corev1.NodeSpec{Unschedulable: true}}
	strategy := &corev1.PodTemplate{ObjectMeta: metav1.ObjectMeta{
		Namespace: v1alpha1.SystemNamespace, Name: "silent", Labels: map[string]string{v1alpha1.LabelStrategy: "silent"},
	}}
	strategy.Template.Spec = corev1.PodSpec{NodeName: node.Name, Containers: []corev1.Container{{Name: "build", Image: "none"}}}
	for _, object := range []client.Object{node, strategy} {
		w.create(object)
		t.Cleanup(func() { _ = w.kube.Delete(context.WithoutCancel(t.Context()), object) })
	}
	var ahead atomic.Int64
	w.run(func(o *controller.Options) {
		o.Strategy = strategy.Name
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	build := w.await(w.build(w.image("app"), 1), "pending", func(b *v1alpha1.Build) bool { return b.Status.Reason == v1alpha1.ReasonPending })
	var pods corev1.PodList
	w.eventually("it has a pod", func() bool {
		return w.kube.List(t.Context(), &pods, client.InNamespace(w.namespace)) == nil && len(pods.Items) == 1
	})
	pod := &pods.Items[0]
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "build", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}}}
	if err := w.kube.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	w.await(build, "building", building)
	w.cancel(build)
	w.eventually("its pod is to go", func() bool {
		return w.kube.Get(t.Context(), client.ObjectKeyFromObject(pod), pod) == nil && pod.DeletionTimestamp != nil
	})
	build = w.await(build, "ended", func(b *v1alpha1.Build) bool {
		ahead.Add(int64(10 * time.Second)) // the wait for the node, and for its log
		return ended(b)
	})
	if status := build.Status; status.Phase != v1alpha1.PhaseCancelled || !status.CompletionTime.Equal(pod.DeletionTimestamp) {
		t.Errorf("%+v; its pod was to be gone at %s", status, pod.DeletionTimestamp)
	}
}
