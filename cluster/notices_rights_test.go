package cluster_test

import (
	"context"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/cluster/clustertest"
	"drydock.dev/drydock/deploy"
)

// The service accounts may do what notices and the count of replicas need, and no more.
func TestNoticesRights(t *testing.T) {
	w := newWorld(t)
	var manifests [][]byte
	for _, name := range []string{"namespace.yaml", "rbac.yaml"} {
		manifest, err := deploy.Files.ReadFile(name)
		must(t, err)
		manifests = append(manifests, manifest)
	}
	must(t, cluster.Apply(t.Context(), w.kubeconfig, manifests...))
	const namespace = "drydock-system"
	gateway, controller := w.as(t, "drydock-gateway"), w.as(t, "drydock-controller")
	for _, kubeconfig := range []string{gateway, controller} {
		if log := logMap(t, w, namespace); log != nil {
			must(t, w.Delete(t.Context(), log)) // so that each of them creates it
		}
		a, b := listen(t, kubeconfig, namespace), listen(t, w.kubeconfig, namespace)
		must(t, a.Announce(t.Context(), []string{"created"}))
		must(t, a.Announce(t.Context(), []string{"updated"}))
		b.hears(t, "created", "updated")
		must(t, b.Announce(t.Context(), []string{"heard"}))
		a.hears(t, "heard")
		count := make(chan int, 1)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- cluster.WatchReplicas(ctx, cluster.ReplicasOptions{Kubeconfig: kubeconfig, Service: "drydock-gateway", Changed: func(n int) { count <- n }})
		}()
		if n, _ := next(t, count); n != 0 {
			t.Errorf("%d replicas, want none", n)
		}
		cancel()
		must(t, <-ended)
	}
	narrow := worldOf(t, &clustertest.Cluster{Kubeconfig: gateway})
	if err := narrow.List(t.Context(), &corev1.ConfigMapList{}, client.InNamespace(namespace)); !apierrors.IsForbidden(err) {
		t.Errorf("the gateway may list all ConfigMaps: %v", err)
	}
	other := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: newLogin()}}
	must(t, w.Create(t.Context(), other))
	if err := narrow.Update(t.Context(), other); !apierrors.IsForbidden(err) {
		t.Errorf("the gateway may write other ConfigMaps: %v", err)
	}
}

// as is a kubeconfig that may do what a service account may, and no more.
func (w *world) as(t *testing.T, account string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(w.kubeconfig)
	must(t, err)
	for _, user := range config.AuthInfos {
		user.Impersonate = "system:serviceaccount:drydock-system:" + account
		user.ImpersonateGroups = []string{"system:serviceaccounts", "system:serviceaccounts:drydock-system", "system:authenticated"}
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, clientcmd.WriteToFile(*config, path))
	return path
}
