package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// How long each part may take to end before it is killed. The node ends the containers first, see node.StopPatience.
const (
	nodePatience  = 5 * time.Second
	childPatience = 3 * time.Second
)

func (o options) path(elements ...string) string {
	return filepath.Join(append([]string{o.DataDir}, elements...)...)
}

// run starts the parts, says on out when the cluster is ready, and ends them in order when ctx ends or one of them dies,
// which is an error.
func run(ctx context.Context, o options, out, stderr io.Writer) error {
	lock, err := lockDir(o.DataDir)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	pki, err := loadPKI(o.path("pki"), o.hostIP(), o.NodeName)
	if err != nil {
		return err
	}
	ports, err := reservePorts(o, o.path("ports.json"))
	if err != nil {
		return err
	}
	defer ports.release()
	logs := stderr
	if !o.Verbose {
		logs = nil
	}
	family, err := newChildren(o.path("logs"), logs)
	if err != nil {
		return err
	}
	s := &controlPlane{options: o, pki: pki, ports: ports, children: family}
	defer s.stopAll()

	starting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case dead := <-family.died:
			cancel(dead.obituary())
		case <-starting.Done():
		}
	}()
	if err := s.start(starting); err != nil {
		if ctx.Err() != nil { // asked to stop before it was ready
			return nil
		}
		if cause := context.Cause(starting); cause != nil {
			return cause
		}
		return err
	}
	if _, err := fmt.Fprintf(out, "kubestack ready: %s kubeconfig=%s\n", s.url(), o.Kubeconfig); err != nil {
		return err
	}
	<-starting.Done()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(starting)
}

// controlPlane is the running parts, in the order of their start.
type controlPlane struct {
	options  options
	pki      *pki
	ports    *ports
	children *children
	running  []*child
}

// url is where clients on this machine reach the API server.
func (s *controlPlane) url() string {
	return (&url.URL{Scheme: "https", Host: net.JoinHostPort(s.options.hostIP(), strconv.Itoa(s.ports.APIServer))}).String()
}

// start returns when a client can use the cluster, and has written the administrator's kubeconfig then.
func (s *controlPlane) start(ctx context.Context) error {
	o, p := s.options, s.pki
	if err := writeFile(o.path("audit-policy.yaml"), []byte(auditPolicy)); err != nil {
		return err
	}
	kubeconfigs := map[string]keyPair{
		"kubernetes-admin": p.Admin, controllerManagerName: p.ControllerManager, schedulerName: p.Scheduler, nodeName: p.Node,
	}
	kubeconfig := func(user string) string { return o.path("pki", user+".kubeconfig") }
	for user, credentials := range kubeconfigs {
		if err := writeKubeconfig(kubeconfig(user), s.url(), p.CA, user, credentials); err != nil {
			return err
		}
	}
	client, err := newClient(kubeconfig("kubernetes-admin"))
	if err != nil {
		return err
	}
	if err := s.run(apiServerName, apiServerArgs(o, p, s.ports)); err != nil {
		return err
	}
	if err := waitForAPI(ctx, client); err != nil {
		return err
	}
	started := time.Now()
	for _, part := range []struct {
		name string
		args []string
	}{
		{controllerManagerName, controllerManagerArgs(p, kubeconfig(controllerManagerName))},
		{schedulerName, schedulerArgs(kubeconfig(schedulerName))},
		{nodeName, nodeArgs(o, p, s.ports, kubeconfig(nodeName), strings.TrimPrefix(s.url(), "https://"))},
	} {
		if err := s.run(part.name, part.args); err != nil {
			return err
		}
	}
	if err := waitForCluster(ctx, client, o.NodeName, started); err != nil {
		return err
	}
	return writeKubeconfig(o.Kubeconfig, s.url(), p.CA, "kubernetes-admin", p.Admin)
}

func (s *controlPlane) run(name string, args []string) error {
	child, err := s.children.start(name, args)
	if err == nil {
		s.running = append(s.running, child)
	}
	return err
}

// stopAll ends the parts, the last started first: the node can still tell the API server how its pods ended.
func (s *controlPlane) stopAll() {
	for i := len(s.running) - 1; i >= 0; i-- {
		patience := childPatience
		if s.running[i].name == nodeName {
			patience = nodePatience
		}
		s.running[i].stop(patience)
	}
}

func newClient(kubeconfig string) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst, config.Timeout = -1, 0, 10*time.Second
	config.UserAgent = "kubestack"
	return kubernetes.NewForConfig(config)
}

// lockDir makes the data directory and keeps a second kubestack out of it for as long as the file is open.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another kubestack runs on %s: stop it, or give another --data-dir", dir)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return lock, nil
}
