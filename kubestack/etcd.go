package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

const etcdStartTimeout = time.Minute

// etcdSettings say how the one etcd of a control plane runs.
type etcdSettings struct {
	Dir       string
	Port      int
	Cert, Key string
	TrustedCA string
	SkipFsync bool
}

func (s etcdSettings) args() []string {
	return []string{
		"--embedded-etcd-dir=" + s.Dir,
		fmt.Sprintf("--embedded-etcd-port=%d", s.Port),
		"--embedded-etcd-cert=" + s.Cert,
		"--embedded-etcd-key=" + s.Key,
		"--embedded-etcd-trusted-ca=" + s.TrustedCA,
		fmt.Sprintf("--embedded-etcd-skip-fsync=%t", s.SkipFsync),
	}
}

// newControlPlaneCommand is kube-apiserver's own command with etcd in the same process: it starts etcd before the API server
// and ends it after.
func newControlPlaneCommand() *cobra.Command {
	command := app.NewAPIServerCommand()
	var settings etcdSettings
	flags := command.Flags()
	flags.StringVar(&settings.Dir, "embedded-etcd-dir", "", "data directory of etcd")
	flags.IntVar(&settings.Port, "embedded-etcd-port", 0, "client port of etcd on 127.0.0.1")
	flags.StringVar(&settings.Cert, "embedded-etcd-cert", "", "serving certificate of etcd")
	flags.StringVar(&settings.Key, "embedded-etcd-key", "", "key of the serving certificate")
	flags.StringVar(&settings.TrustedCA, "embedded-etcd-trusted-ca", "", "authority of client certificates")
	flags.BoolVar(&settings.SkipFsync, "embedded-etcd-skip-fsync", false, "do not sync writes to disk")
	serve := command.RunE
	command.RunE = func(command *cobra.Command, args []string) error {
		etcd, err := startEtcd(settings)
		if err != nil {
			return err
		}
		defer etcd.Close()
		return serve(command, args)
	}
	return command
}

// startEtcd returns when etcd serves. It talks to clients by mutual TLS on loopback and has no peers.
func startEtcd(s etcdSettings) (*embed.Etcd, error) {
	config := embed.NewConfig()
	config.Name = "kubestack"
	config.Dir = s.Dir
	config.LogLevel = "warn"
	config.UnsafeNoFsync = s.SkipFsync
	config.SocketOpts.ReusePort = true
	config.AutoCompactionMode, config.AutoCompactionRetention = embed.CompactorModePeriodic, "30m"
	client := url.URL{Scheme: "https", Host: fmt.Sprintf("127.0.0.1:%d", s.Port)}
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	config.ClientTLSInfo = transport.TLSInfo{CertFile: s.Cert, KeyFile: s.Key, TrustedCAFile: s.TrustedCA, ClientCertAuth: true}
	config.ListenPeerUrls = nil
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, fmt.Errorf("start etcd: %w", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		return nil, fmt.Errorf("etcd: %w", err)
	case <-time.After(etcdStartTimeout):
		etcd.Close()
		return nil, fmt.Errorf("etcd was not ready after %s", etcdStartTimeout)
	}
}
