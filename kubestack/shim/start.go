package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

// Process is a container's shim, seen from the node.
type Process struct {
	Pid int

	group    atomic.Int64 // process group of the command in this PID namespace; 0 when isolated
	command  *exec.Cmd
	lifeline *os.File
	endOnce  sync.Once
	ended    chan struct{}
}

// CanIsolate says whether containers can have namespaces of their own here, and why not.
func CanIsolate(executable string) error {
	command := exec.Command(executable, Command, "--probe")
	command.SysProcAttr = attributes(true)
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	return nil
}

func attributes(isolated bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if isolated { // else the shim has to outlive the node for as long as it takes to end the descendants, see Main
		attr.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS
		attr.Pdeathsig = syscall.SIGKILL
	}
	return attr
}

// ErrNotStarted is the error of Start when the shim ran but its command did not start: the pod's fault, not the node's.
var ErrNotStarted = errors.New("the command did not start")

// Start runs a container. The command's output goes to stdout and stderr, which Start closes in this process.
func Start(executable string, spec Spec, stdout, stderr *os.File) (*Process, error) {
	defer func() { _, _ = stdout.Close(), stderr.Close() }()
	specRead, lifeline, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = specRead.Close() }()
	reportRead, reportWrite, err := os.Pipe()
	if err != nil {
		_ = lifeline.Close()
		return nil, err
	}
	defer func() { _ = reportRead.Close() }()
	command := exec.Command(executable, Command)
	command.Env = []string{} // the container's variables must not steer the shim's own runtime
	command.Stdout, command.Stderr = stdout, stderr
	command.ExtraFiles = []*os.File{specRead, reportWrite}
	command.SysProcAttr = attributes(spec.Isolated)
	p := &Process{command: command, lifeline: lifeline, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the parent-death signal follows this thread
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait()
			if group := p.group.Load(); group != 0 {
				_ = syscall.Kill(-int(group), syscall.SIGKILL) // in case the shim was killed before it could do this
			}
			close(p.ended)
		}
	}()
	err = <-started
	_ = reportWrite.Close()
	if err != nil {
		_ = lifeline.Close()
		return nil, err
	}
	p.Pid = command.Process.Pid
	if err := p.handshake(spec, reportRead); err != nil {
		p.Kill()
		<-p.ended
		return nil, err
	}
	return p, nil
}

// handshake hands over the spec and waits until the command runs.
func (p *Process) handshake(spec Spec, reports io.Reader) error {
	if err := json.NewEncoder(p.lifeline).Encode(spec); err != nil {
		return fmt.Errorf("hand over the container: %w", err)
	}
	var report Report
	if err := json.NewDecoder(reports).Decode(&report); err != nil {
		return fmt.Errorf("the container's first process ended early: %w", err)
	}
	if report.Error != "" {
		return fmt.Errorf("%w: %s", ErrNotStarted, report.Error)
	}
	p.group.Store(int64(report.Group))
	return nil
}

// Terminate sends SIGTERM to the command's process group.
func (p *Process) Terminate() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
}

// Kill ends every process of the container at once.
func (p *Process) Kill() {
	p.endOnce.Do(func() {
		_ = p.lifeline.Close()
		if p.command.SysProcAttr.Cloneflags != 0 { // process 1 takes its namespace with it
			_ = p.command.Process.Kill()
		}
	})
}

// Ended is closed when no process of the container is left.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// ExitCode is the command's exit code, 128 + n for signal n. Only after Ended.
func (p *Process) ExitCode() int {
	p.endOnce.Do(func() { _ = p.lifeline.Close() })
	status, ok := p.command.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return p.command.ProcessState.ExitCode()
}
