package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/deploy"
)

// startKube starts the control plane and its node, and installs what Drydock needs
// in a cluster.
func startKube(ctx context.Context, s *stack) error {
	s.kubeconfig = filepath.Join(s.dir, "kubeconfig")
	readyLine := make(chan struct{})
	stdout := &watcher{to: s.out.part("kube"), text: []byte("kubestack ready"), seen: sync.OnceFunc(func() { close(readyLine) })}
	binary := filepath.Join(s.bin, "kubestack")
	ended, err := s.process("kube", stdout, os.Environ(), binary,
		"--data-dir", filepath.Join(s.dir, "kube"), "--kubeconfig", s.kubeconfig)
	if err != nil {
		return err
	}
	select {
	case <-readyLine:
	case <-ended:
		return fmt.Errorf("it ended before it was ready; its lines above say why")
	case <-ctx.Done():
		return ctx.Err()
	}
	s.env.set("KUBECONFIG", quote(s.kubeconfig))
	if err := s.offerKubectl(binary); err != nil {
		return err
	}
	return install(ctx, s.kubeconfig)
}

// install applies the namespace, the CRDs, the roles and the build strategies.
func install(ctx context.Context, kubeconfig string) error {
	manifests, err := deploy.All()
	if err != nil {
		return err
	}
	return cluster.Apply(ctx, kubeconfig, manifests...)
}

// offerKubectl puts the kubectl that kubestack holds on the env file's PATH where this
// machine has none.
func (s *stack) offerKubectl(binary string) error {
	if _, err := exec.LookPath("kubectl"); err == nil {
		return nil
	}
	dir := filepath.Join(s.dir, "bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	link := filepath.Join(dir, "kubectl")
	if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
		return err
	}
	s.env.set("PATH", quote(dir)+`:"$PATH"`)
	return os.Symlink(binary, link)
}
