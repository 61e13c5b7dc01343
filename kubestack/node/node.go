// Package node is a Kubernetes node without a container runtime: it runs the containers of its pods as local processes.
//
// The image of a container is not used, only its command. Processes see the host's file system, with the pod's volumes in
// their places (package shim); they share the host's network.
package node

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	vknode "github.com/virtual-kubelet/virtual-kubelet/node"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"

	"drydock.dev/drydock/kubestack/shim"
)

// Options are the settings of a node.
type Options struct {
	Name       string
	Dir        string // the pods' directories; what an earlier node left there is cleaned up
	Kubeconfig string // with the identity system:node:NAME
	Address    string // the node's and its pods' IP address
	Port       int    // of the node's API
	Cert, Key  string // serving certificate of the node's API
	ClientCA   string // authority of the one client that may call it
	ClientName string // common name of that client
	MaxPods    int
	APIServer  string // host:port that pods find the API server at
}

// Node runs pods.
type Node struct {
	options    Options
	log        *slog.Logger
	client     kubernetes.Interface
	recorder   record.EventRecorder
	executable string
	isolated   bool            // containers have namespaces of their own
	stopping   context.Context // ends when the node stops; pods end soon after
	lister     corelisters.PodLister

	mu   sync.Mutex
	pods map[types.UID]*pod
	wait sync.WaitGroup // the pods that run
}

// Run registers the node and runs its pods until ctx ends; then it ends their processes and returns.
func Run(ctx context.Context, o Options, listener net.Listener, log *slog.Logger) error {
	config, err := clientcmd.BuildConfigFromFlags("", o.Kubeconfig)
	if err != nil {
		return err
	}
	config.UserAgent, config.QPS, config.Burst = "kubestack-node", -1, 0
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.podsDir(), 0o700); err != nil {
		return err
	}
	n := &Node{options: o, log: log, client: client, executable: executable, stopping: ctx, pods: map[types.UID]*pod{}}
	if err := shim.CanIsolate(executable); err != nil {
		log.Warn("containers cannot have namespaces here: volumes are found by KUBESTACK_VOLUME_NAME variables", "reason", err)
	} else {
		n.isolated = true
	}
	events := record.NewBroadcaster()
	defer events.Shutdown()
	events.StartRecordingToSink(&corev1client.EventSinkImpl{Interface: client.CoreV1().Events("")})
	n.recorder = events.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet", Host: o.Name})

	defer n.wait.Wait()
	if err := n.watchPods(ctx); err != nil {
		return err
	}
	server, err := n.serve(listener)
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	controller, err := vknode.NewNodeController(vknode.NaiveNodeProvider{}, n.object(), client.CoreV1().Nodes(),
		vknode.WithNodeEnableLeaseV1(client.CoordinationV1().Leases(corev1.NamespaceNodeLease), vknode.DefaultLeaseDuration))
	if err != nil {
		return fmt.Errorf("node controller: %w", err)
	}
	return controller.Run(ctx)
}

func (o Options) podsDir() string { return filepath.Join(o.Dir, "pods") }

// podDir holds the logs, volumes and working directories of one pod until the pod is deleted.
func (o Options) podDir(uid types.UID) string { return filepath.Join(o.podsDir(), string(uid)) }
