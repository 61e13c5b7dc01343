package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

const (
	readyTimeout = 2 * time.Minute
	readyPoll    = 50 * time.Millisecond
)

// waitForAPI returns when the API server says it is ready.
func waitForAPI(ctx context.Context, client kubernetes.Interface) error {
	return waitFor(ctx, "the API server's /readyz", func(ctx context.Context) error {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	})
}

// waitForCluster returns when a pod in the default namespace could be created, scheduled and started.
func waitForCluster(ctx context.Context, client kubernetes.Interface, nodeName string, since time.Time) error {
	err := waitFor(ctx, "node "+nodeName, func(ctx context.Context) error {
		node, err := client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		return schedulable(node, since)
	})
	if err != nil {
		return err
	}
	return waitFor(ctx, "the default service account", func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// schedulable says why a node takes no pods; a heartbeat from before since is that of an earlier run.
func schedulable(node *corev1.Node, since time.Time) error {
	for _, taint := range node.Spec.Taints {
		return fmt.Errorf("it has the taint %s", taint.Key)
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue &&
			!condition.LastHeartbeatTime.Time.Before(since.Truncate(time.Second)) { // times in the API are of whole seconds
			return nil
		}
	}
	return fmt.Errorf("it is not Ready")
}

// waitFor asks until there is no error, and gives the last error when time is up.
func waitFor(ctx context.Context, what string, ask func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, readyPoll, readyTimeout, true, func(ctx context.Context) (bool, error) {
		last = ask(ctx)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait for %s: %w (last answer: %v)", what, err, last)
	}
	return nil
}
