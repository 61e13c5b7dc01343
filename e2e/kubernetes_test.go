package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// kubernetes is an administrator's client, as kubectl is one.
func kubernetes(t *testing.T) kube.Client {
	t.Helper()
	objects := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(objects); err != nil {
			t.Fatal(err)
		}
	}
	config, err := clientcmd.BuildConfigFromFlags("", house.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.UserAgent = "e2e"
	c, err := kube.New(config, kube.Options{Scheme: objects})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// customResources are the actor's Builds as Kubernetes has them.
func (a *actor) customResources() []v1alpha1.Build {
	a.t.Helper()
	var list v1alpha1.BuildList
	err := kubernetes(a.t).List(within(a.t, patience), &list, kube.InNamespace(v1alpha1.Namespace(a.login)))
	if err != nil {
		a.t.Fatal(err)
	}
	return list.Items
}

// checkKubernetes holds that Kubernetes tells of one build, and of it what GraphQL tells.
func (a *actor) checkKubernetes(b build) {
	a.t.Helper()
	var got []string
	for _, cr := range a.customResources() {
		got = append(got, fmt.Sprintf("%d %s %s %d", cr.Spec.Number, strings.ToUpper(string(cr.Status.Phase)), cr.Status.Digest, cr.Status.Billing.Seconds))
	}
	want := []string{fmt.Sprintf("%d %s %s %d", b.Number, b.Phase, *b.Digest, *b.BilledSeconds)}
	if diff := cmp.Diff(want, got); diff != "" {
		a.t.Errorf("Kubernetes and GraphQL differ (-GraphQL +Kubernetes):\n%s", diff)
	}
}

// checkNothingRuns holds that no Job, pod or process of the actor's builds is left at work.
func (a *actor) checkNothingRuns() {
	a.t.Helper()
	c, namespace := kubernetes(a.t), kube.InNamespace(v1alpha1.Namespace(a.login))
	eventually(a.t, func() error {
		var jobs batchv1.JobList
		var pods corev1.PodList
		if err := c.List(a.t.Context(), &jobs, namespace); err != nil {
			return err
		}
		if err := c.List(a.t.Context(), &pods, namespace); err != nil {
			return err
		}
		for _, job := range jobs.Items {
			if job.Status.Active > 0 {
				return fmt.Errorf("the Job %s is active", job.Name)
			}
		}
		for _, pod := range pods.Items {
			if pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
				return fmt.Errorf("the pod %s is %s", pod.Name, pod.Status.Phase)
			}
		}
		return a.noProcess()
	})
}

// noProcess holds that no process has the environment of one of the actor's builds.
func (a *actor) noProcess() error {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return err
	}
	mark := []byte("DRYDOCK_DESTINATION=" + house.Registry + "/" + a.login + "/")
	for _, file := range files {
		if environment, err := os.ReadFile(file); err == nil && bytes.Contains(environment, mark) {
			return fmt.Errorf("%s is still there", filepath.Dir(file))
		}
	}
	return nil
}
