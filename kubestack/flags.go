package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
)

// options are the settings of one control plane.
type options struct {
	DataDir     string
	Address     string
	Port        int
	EtcdPort    int
	KubeletPort int
	Kubeconfig  string
	NodeName    string
	MaxPods     int
	AuditLog    string
	Fsync       bool
	Verbose     bool
}

// parseFlags reads the command line. Errors are one line that names the flag; pflag.ErrHelp after printing help to out.
func parseFlags(args []string, dataDir string, out io.Writer) (options, error) {
	var o options
	flags := pflag.NewFlagSet("kubestack", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.SortFlags = false
	flags.StringVar(&o.DataDir, "data-dir", dataDir, "directory for certificates, etcd, logs and pods; a restart on it finds everything again")
	flags.StringVar(&o.Address, "address", "127.0.0.1", "IPv4 address that the API server and the node listen on; 0.0.0.0 opens the API server to every network")
	flags.IntVar(&o.Port, "port", 0, "port of the API server; 0 is the port of the last run if still free, else any free one")
	flags.IntVar(&o.EtcdPort, "etcd-port", 0, "port of etcd; 0 as for --port")
	flags.IntVar(&o.KubeletPort, "kubelet-port", 0, "port of the node's API (kubectl logs); 0 as for --port")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "file to write the administrator's kubeconfig to (default DATA-DIR/kubeconfig)")
	flags.StringVar(&o.NodeName, "node-name", "kubestack", "name of the node")
	flags.IntVar(&o.MaxPods, "max-pods", 110, "number of pods the node takes")
	flags.StringVar(&o.AuditLog, "audit-log", "", "file to write one JSON audit event per API request to (Metadata level); empty for none")
	flags.BoolVar(&o.Fsync, "fsync", true, "make etcd sync its writes to disk; false is faster and loses data when the machine goes down (tests)")
	flags.BoolVarP(&o.Verbose, "verbose", "v", false, "write the parts' logs to standard error instead of DATA-DIR/logs")
	if err := flags.Parse(args); err != nil {
		if err == pflag.ErrHelp {
			_, _ = fmt.Fprintf(out, usage, flags.FlagUsagesWrapped(120))
		}
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: see kubestack --help", flags.Arg(0))
	}
	return o, o.complete()
}

const usage = `kubestack runs a real Kubernetes on this machine: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
and a node that runs the containers of pods as local processes. It stops on SIGTERM or Ctrl-C.

Usage:
  kubestack [flags]
  kubestack kubectl ...   the kubectl of the same version (also when the binary is called kubectl)

Flags:
%s`

// complete checks the settings and makes paths absolute.
func (o *options) complete() error {
	for flag, port := range map[string]int{"port": o.Port, "etcd-port": o.EtcdPort, "kubelet-port": o.KubeletPort} {
		if port < 0 || port > 65535 {
			return fmt.Errorf("invalid --%s %d: give a port from 0 (any free one) to 65535", flag, port)
		}
	}
	if ip := net.ParseIP(o.Address); ip == nil || ip.To4() == nil {
		return fmt.Errorf("invalid --address %q: give an IPv4 address such as 127.0.0.1", o.Address)
	}
	if problems := validation.IsDNS1123Subdomain(o.NodeName); len(problems) > 0 {
		return fmt.Errorf("invalid --node-name %q: %s", o.NodeName, strings.Join(problems, ", "))
	}
	if o.MaxPods < 1 {
		return fmt.Errorf("invalid --max-pods %d: give at least 1", o.MaxPods)
	}
	if o.DataDir == "" {
		return fmt.Errorf("--data-dir is empty and there is no home directory: give a directory")
	}
	if o.Kubeconfig == "" {
		o.Kubeconfig = filepath.Join(o.DataDir, "kubeconfig")
	}
	for _, path := range []*string{&o.DataDir, &o.Kubeconfig, &o.AuditLog} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("no absolute path for %q: %w", *path, err)
		}
		*path = absolute
	}
	return nil
}

// hostIP is the address by which processes on this machine reach the parts.
func (o options) hostIP() string {
	if net.ParseIP(o.Address).IsUnspecified() {
		return "127.0.0.1"
	}
	return o.Address
}

// defaultDataDir is where the XDG base directory specification wants durable state; empty without a home.
func defaultDataDir(getenv func(string) string) string {
	if state := getenv("XDG_STATE_HOME"); state != "" {
		return filepath.Join(state, "kubestack")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state", "kubestack")
}
