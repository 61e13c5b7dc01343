package cluster_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"drydock.dev/drydock/cluster"
)

// pods are endpoints of these pods, ready or not.
func pods(ready bool, names ...string) (endpoints []discoveryv1.Endpoint) {
	for _, name := range names {
		endpoints = append(endpoints, discoveryv1.Endpoint{
			Addresses: []string{"10.0.0." + fmt.Sprint(int(name[0]))}, Conditions: discoveryv1.EndpointConditions{Ready: &ready},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: name, UID: types.UID("uid-" + name)}})
	}
	return endpoints
}

// A Service's replicas are counted over all of its slices, each once, while they come and go.
func TestWatchReplicas(t *testing.T) {
	w := newWorld(t)
	namespace := newNamespace(t, w)
	p := newProxy(t, w)
	counts := make(chan int, 10)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- cluster.WatchReplicas(ctx, cluster.ReplicasOptions{
			Kubeconfig: p.kubeconfig, Namespace: namespace, Service: "gateway", Changed: func(n int) { counts <- n }})
	}()
	counted := func(want int, reason string) {
		t.Helper()
		if got, _ := next(t, counts); got != want {
			t.Errorf("%s: %d, want %d", reason, got, want)
		}
	}
	counted(0, "no such service")
	slice := func(name, service string, kind discoveryv1.AddressType, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
		return &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: service}},
			AddressType: kind, Endpoints: endpoints}
	}
	first := slice("first", "gateway", discoveryv1.AddressTypeIPv4, pods(true, "a", "b")...)
	must(t, w.Create(t.Context(), first))
	counted(2, "two ready ones")
	must(t, w.Create(t.Context(), slice("other", "another", discoveryv1.AddressTypeIPv4, pods(true, "x")...)))
	second := slice("second", "gateway", discoveryv1.AddressTypeIPv4, pods(false, "b", "c")...)
	must(t, w.Create(t.Context(), second))
	counted(3, "one that is in two slices, and one that is not ready yet")
	p.set(true)
	first.Endpoints = pods(true, "a")
	must(t, w.Update(t.Context(), first))
	must(t, w.Delete(t.Context(), second))
	p.set(false)
	for got := 0; got != 1; got, _ = next(t, counts) { // 2 may be seen on the way
		if len(counts) > 2 {
			t.Fatal("more changes than there were")
		}
	}
	cancel()
	must(t, <-ended)
}
