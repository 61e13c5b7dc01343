// Package clustertest gives tests a real Kubernetes control plane with a node: a
// kubestack process of their own, on free ports and a temporary directory.
//
// A package's tests share one, started by Run from TestMain; a test that ends or
// restarts its control plane takes one of its own from Start.
package clustertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// readyWithin is far more than the 10 seconds that a start takes on two cores.
	readyWithin = 2 * time.Minute
	stopWithin  = 30 * time.Second
)

// Cluster is a running control plane.
type Cluster struct {
	// Kubeconfig is the path of an administrator's kubeconfig.
	Kubeconfig string
	// Dir is the data directory: a second Start on it would find everything again.
	Dir string

	binary  string
	command *exec.Cmd
	output  *bytes.Buffer
	ended   chan struct{}
}

// Run starts a control plane, hands it to started, runs the tests, ends the control
// plane and gives the exit code for os.Exit.
func Run(m *testing.M, started func(*Cluster)) int {
	dir, err := os.MkdirTemp("", "clustertest-")
	if err != nil {
		return complain(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	c, err := Open(dir)
	if err != nil {
		return complain(err)
	}
	started(c)
	code := m.Run()
	if err := c.Stop(); err != nil {
		return complain(err)
	}
	return code
}

// Start starts a control plane that ends with the test.
func Start(t testing.TB) *Cluster {
	t.Helper()
	c, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Open starts a control plane on a directory, for those that are no tests: Stop it.
func Open(dir string) (*Cluster, error) {
	binary, err := kubestack()
	if err != nil {
		return nil, err
	}
	c := &Cluster{Kubeconfig: filepath.Join(dir, "kubeconfig"), Dir: dir, binary: binary}
	return c, c.start()
}

func (c *Cluster) start() error {
	ready := make(chan struct{})
	c.output = &bytes.Buffer{}
	c.ended = make(chan struct{})
	c.command = exec.Command(c.binary, "--data-dir", c.Dir, "--kubeconfig", c.Kubeconfig,
		"--audit-log", c.auditLog(), "--fsync=false")
	c.command.Stdout = &readyLine{ready: ready}
	c.command.Stderr = c.output
	// kubestack ends its children; were the test killed, this ends kubestack.
	c.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	go func() {
		// Pdeathsig is sent when the thread that started the process ends: keep it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.command.Start()
		started <- err
		if err == nil {
			_ = c.command.Wait() // the exit code is in ProcessState
			close(c.ended)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start kubestack: %w", err)
	}
	select {
	case <-ready:
		return nil
	case <-c.ended:
		return fmt.Errorf("kubestack ended before it was ready:\n%s", c.output)
	case <-time.After(readyWithin):
		_ = c.command.Process.Kill()
		<-c.ended
		return fmt.Errorf("kubestack was not ready within %v:\n%s", readyWithin, c.output)
	}
}

// Stop ends the control plane and tells whether it ended clean. A second one does nothing.
func (c *Cluster) Stop() error {
	select {
	case <-c.ended:
		return nil
	default:
	}
	_ = c.command.Process.Signal(syscall.SIGTERM) // it may have ended meanwhile
	select {
	case <-c.ended:
		if code := c.command.ProcessState.ExitCode(); code != 0 {
			return fmt.Errorf("kubestack ended with exit code %d:\n%s", code, c.output)
		}
		return nil
	case <-time.After(stopWithin):
		_ = c.command.Process.Kill()
		<-c.ended
		return errors.New("kubestack did not end on SIGTERM")
	}
}

// Kubectl runs kubectl of the cluster's own version, and gives what it printed.
func (c *Cluster) Kubectl(t testing.TB, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, c.binary, append([]string{"kubectl", "--kubeconfig", c.Kubeconfig}, args...)...)
	var problems strings.Builder
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s%s", strings.Join(args, " "), err, out, problems.String())
	}
	return string(out)
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
