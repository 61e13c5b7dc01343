package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// child is one part of the control plane: this binary again, in a process of its own.
type child struct {
	name    string
	logFile string // empty when it writes to the parent's standard error
	command *exec.Cmd
	ended   chan struct{} // closed when the process is gone
}

// children starts the parts and says when one of them dies. When this process dies, however it dies, the kernel kills them
// (PR_SET_PDEATHSIG).
type children struct {
	executable string
	logDir     string
	output     io.Writer // for the parts' logs; nil for files in logDir
	died       chan *child
}

func newChildren(logDir string, output io.Writer) (*children, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(logDir, 0o700); err != nil {
		return nil, err
	}
	return &children{executable: executable, logDir: logDir, output: output, died: make(chan *child, 16)}, nil
}

// start runs one part. It is in a process group of its own, so that Ctrl-C reaches only the parent, which ends the parts in order.
func (c *children) start(name string, args []string) (*child, error) {
	command := exec.Command(c.executable, append([]string{"component", name}, args...)...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	one := &child{name: name, command: command, ended: make(chan struct{})}
	command.Stdout, command.Stderr = c.output, c.output
	if c.output == nil {
		one.logFile = filepath.Join(c.logDir, name+".log")
		log, err := os.OpenFile(one.logFile, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		defer func() { _ = log.Close() }()
		command.Stdout, command.Stderr = log, log
	}
	started := make(chan error)
	go func() {
		// The kernel's parent-death signal follows the thread that started the child, so that thread has to stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err != nil {
			return
		}
		_ = command.Wait()
		close(one.ended)
		c.died <- one
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return one, nil
}

// stop asks the part to end, and kills it when it has not done so within patience.
func (c *child) stop(patience time.Duration) {
	_ = c.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.ended:
		return
	case <-time.After(patience):
	}
	_ = syscall.Kill(-c.command.Process.Pid, syscall.SIGKILL)
	<-c.ended
}

// obituary says how the part ended and what it said last.
func (c *child) obituary() error {
	message := fmt.Sprintf("%s ended: %s", c.name, c.command.ProcessState)
	if c.logFile == "" {
		return fmt.Errorf("%s", message)
	}
	return fmt.Errorf("%s; the end of %s:\n%s", message, c.logFile, lastLines(c.logFile, 5))
}

// lastLines returns the last lines of a file, as far as it can be read.
func lastLines(path string, count int) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	var text strings.Builder
	for _, line := range lines[max(0, len(lines)-count):] {
		fmt.Fprintf(&text, "  %.300s\n", line)
	}
	return strings.TrimRight(text.String(), "\n")
}
