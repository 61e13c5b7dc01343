// Command kubestack is a real Kubernetes on one machine, from one binary: etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler, kubectl, and a node that runs the containers of pods as local processes.
//
// The binary starts itself again for each part, because the parts set process-wide state (logging, feature gates, signal
// handlers): `kubestack component NAME ...` is one part, `kubestack container` the first process of one container.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/pflag"
	"k8s.io/component-base/cli"

	"drydock.dev/drydock/kubestack/shim"
)

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if name == "kubectl" {
		args = append([]string{"kubectl"}, args...)
	}
	if len(args) > 0 {
		switch args[0] {
		case shim.Command:
			os.Exit(shim.Main(args[1:]))
		case "kubectl":
			kubectl(args)
			return
		case "component":
			os.Exit(component(args[1:]))
		}
	}
	os.Exit(stack(args))
}

// stack runs the whole control plane until a signal ends it, and returns the exit code.
func stack(args []string) int {
	options, err := parseFlags(args, defaultDataDir(os.Getenv), os.Stdout)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(os.Stderr, "kubestack: %v\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, options, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "kubestack: %v\n", err)
		return 1
	}
	return 0
}

// component runs one part in this process and returns its exit code.
func component(args []string) int {
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "kubestack: component needs a name")
		return 2
	}
	commands := componentCommands()
	newCommand, ok := commands[args[0]]
	if !ok {
		fmt.Fprintf(os.Stderr, "kubestack: there is no component %q\n", args[0])
		return 2
	}
	command := newCommand()
	command.SetArgs(args[1:])
	return cli.Run(command)
}
