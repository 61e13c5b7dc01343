package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	"drydock.dev/drydock/kubestack/node"
)

// The names of the parts: `kubestack component NAME`, and of their log files.
const (
	apiServerName         = "kube-apiserver"
	controllerManagerName = "kube-controller-manager"
	schedulerName         = "kube-scheduler"
	nodeName              = "node"
)

// componentCommands are the parts by name. A part is made only in the process that runs it: making one already sets
// process-wide state.
func componentCommands() map[string]func() *cobra.Command {
	return map[string]func() *cobra.Command{
		apiServerName:         newControlPlaneCommand,
		controllerManagerName: controllermanager.NewControllerManagerCommand,
		schedulerName:         func() *cobra.Command { return scheduler.NewSchedulerCommand() },
		nodeName:              newNodeCommand,
	}
}

func newNodeCommand() *cobra.Command {
	var o node.Options
	command := &cobra.Command{
		Use:          nodeName,
		SilenceUsage: true,
		Args:         cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(command.Context(), syscall.SIGTERM)
			defer stop()
			listener, err := listenReserved(ctx, o.Address, o.Port)
			if err != nil {
				return err
			}
			return node.Run(ctx, o, listener, slog.New(slog.NewTextHandler(os.Stderr, nil)))
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Name, "name", "", "name of the node")
	flags.StringVar(&o.Dir, "dir", "", "directory of the pods")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig of the node")
	flags.StringVar(&o.Address, "address", "", "IP address of the node")
	flags.IntVar(&o.Port, "port", 0, "port of the node's API")
	flags.StringVar(&o.Cert, "tls-cert", "", "serving certificate")
	flags.StringVar(&o.Key, "tls-key", "", "key of the serving certificate")
	flags.StringVar(&o.ClientCA, "client-ca", "", "authority of client certificates")
	flags.StringVar(&o.ClientName, "client-name", "", "common name of the client that may call")
	flags.IntVar(&o.MaxPods, "max-pods", 0, "number of pods the node takes")
	flags.StringVar(&o.APIServer, "api-server", "", "host:port that pods find the API server at")
	return command
}

func nodeArgs(o options, p *pki, ports *ports, kubeconfig, apiServer string) []string {
	return []string{
		"--name=" + o.NodeName,
		"--dir=" + o.path("node"),
		"--kubeconfig=" + kubeconfig,
		"--address=" + o.hostIP(),
		fmt.Sprintf("--port=%d", ports.Kubelet),
		"--tls-cert=" + p.Kubelet.Cert,
		"--tls-key=" + p.Kubelet.Key,
		"--client-ca=" + p.CA.Cert,
		"--client-name=" + kubeletClientSubject,
		fmt.Sprintf("--max-pods=%d", o.MaxPods),
		"--api-server=" + apiServer,
	}
}
