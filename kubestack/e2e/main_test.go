// Package e2e tests the kubestack binary from outside: kubectl's and client-go's view of the cluster, and the processes of
// this machine.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	readyTimeout = 3 * time.Minute
	stopTimeout  = 2 * time.Minute
)

// binary is the kubestack under test; shared is the control plane that most tests use, in namespaces of their own.
var (
	binary string
	shared *cluster
)

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kubestack-e2e-")
	if err != nil {
		return complain(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { // another user runs the binary too
		return complain(err)
	}
	if binary, err = findBinary(dir); err != nil {
		return complain(err)
	}
	if shared, err = start(filepath.Join(dir, "shared"), "--fsync=false"); err != nil {
		return complain(err)
	}
	code := m.Run()
	if err := shared.terminate(); err != nil {
		return complain(err)
	}
	return code
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// findBinary takes the binary that KUBESTACK names, or builds one.
func findBinary(dir string) (string, error) {
	if path := os.Getenv("KUBESTACK"); path != "" {
		return filepath.Abs(path)
	}
	path := filepath.Join(dir, "kubestack")
	build := exec.Command("go", "build", "-C", "..", "-trimpath",
		"-ldflags", "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	return path, build.Run()
}

// cluster is one running kubestack.
type cluster struct {
	dir        string
	url        string
	kubeconfig string
	client     kubernetes.Interface
	command    *exec.Cmd
	stderr     *lockedBuffer
	ended      chan struct{}
}

// start runs kubestack on a directory and returns when it has said that it is ready.
func start(dir string, args ...string) (*cluster, error) {
	return startAs(nil, dir, args...)
}

// startAs is start as another user.
func startAs(user *syscall.Credential, dir string, args ...string) (*cluster, error) {
	c := &cluster{dir: dir, stderr: &lockedBuffer{}, ended: make(chan struct{})}
	c.command = exec.Command(binary, append([]string{"--data-dir", dir}, args...)...)
	c.command.Stderr = c.stderr
	c.command.SysProcAttr = &syscall.SysProcAttr{Credential: user}
	output, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	lines := make(chan string, 1)
	go func() {
		scanner := bufio.NewScanner(output)
		if scanner.Scan() {
			lines <- scanner.Text()
		}
		_, _ = io.Copy(io.Discard, output)
		_ = c.command.Wait()
		close(c.ended)
	}()
	select {
	case line := <-lines:
		_, err = fmt.Sscanf(line, "kubestack ready: %s kubeconfig=%s", &c.url, &c.kubeconfig)
	case <-c.ended:
		err = errors.New("kubestack ended: " + c.stderr.String())
	case <-time.After(readyTimeout):
		err = errors.New("kubestack was not ready in time: " + c.stderr.String())
	}
	if err == nil {
		c.client, err = newClient(c.kubeconfig)
	}
	if err != nil {
		_ = c.terminate()
		return nil, err
	}
	return c, nil
}

func newClient(kubeconfig string) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}

// terminate sends SIGTERM and returns an error unless kubestack ends well and in time.
func (c *cluster) terminate() error {
	_ = c.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.ended:
	case <-time.After(stopTimeout):
		_ = c.command.Process.Kill()
		<-c.ended
		return errors.New("kubestack did not end on SIGTERM")
	}
	if code := c.command.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("kubestack ended with %d: %s", code, c.stderr)
	}
	return nil
}

// kubectl runs the binary's own kubectl and returns what it prints.
func (c *cluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, binary, append([]string{"kubectl", "--kubeconfig", c.kubeconfig}, args...)...)
	var output, problems bytes.Buffer
	command.Stdout, command.Stderr = &output, &problems
	if err := command.Run(); err != nil {
		t.Fatalf("kubectl %s: %v\n%s%s", strings.Join(args, " "), err, &output, &problems)
	}
	return output.String()
}

// processesOf returns the ids of processes whose command line contains text.
func processesOf(text string) []string {
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err == nil && strings.Contains(strings.ReplaceAll(string(data), "\x00", " "), text) {
			found = append(found, strings.Split(file, "/")[2])
		}
	}
	return found
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// lockedBuffer is a buffer that a process writes and a test reads.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
