package stack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// outputPatience is how long a process that is gone may have its output held open by its children.
const outputPatience = 2 * time.Second

// Process is one running binary and what it printed.
type Process struct {
	Name string

	command *exec.Cmd
	done    chan struct{}

	mu     sync.Mutex
	output strings.Builder
}

// Run starts a binary with exactly this environment besides PATH and HOME. Its lines go to log too, under its name.
func Run(name, binary string, args, env []string, log io.Writer) (*Process, error) {
	command := exec.CommandContext(context.Background(), binary, args...) // it lives until somebody ends it
	command.Env = append(hostEnvironment(), env...)
	reader, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	command.WaitDelay = outputPatience
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{Name: name, command: command, done: make(chan struct{})}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		p.copy(reader, log)
	}()
	go func() {
		_ = command.Wait() // the exit code is kept in ProcessState
		_ = writer.Close()
		<-copied
		close(p.done)
	}()
	return p, nil
}

// copy keeps every line for Output and shows it.
func (p *Process) copy(from io.Reader, log io.Writer) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			p.mu.Lock()
			p.output.WriteString(line)
			p.mu.Unlock()
			_, _ = fmt.Fprintf(log, "%-12s %s\n", p.Name, strings.TrimRight(line, "\n"))
		}
		if err != nil {
			return
		}
	}
}

// Output is what it printed so far, standard error included.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// PID is its process id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Kill ends it as a power failure would: kill -9. It returns when the process is gone.
func (p *Process) Kill() {
	_ = p.command.Process.Kill() // it may be gone already
	<-p.done
}

// Terminate asks it to end: SIGTERM.
func (p *Process) Terminate() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Stop asks it to end and waits: its exit code. Past the context's deadline it is killed.
func (p *Process) Stop(ctx context.Context) (int, error) {
	if err := p.Terminate(); err != nil {
		return 0, err
	}
	return p.Wait(ctx)
}

// Wait waits for its end: its exit code. Past the context's deadline it is killed.
func (p *Process) Wait(ctx context.Context) (int, error) {
	select {
	case <-p.done:
		return p.command.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		p.Kill()
		return 0, fmt.Errorf("%s did not end: %w", p.Name, ctx.Err())
	}
}

// errGone ends a wait at once: what is waited for cannot come any more.
var errGone = errors.New("it cannot become ready any more")

// Until asks again and again until there is no error, and gives the last error when the context ends.
func Until(ctx context.Context, ask func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil || errors.Is(err, errGone) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited too long: %w", err)
		}
	}
}

// FreeAddress is a loopback address that was free a moment ago.
func FreeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}
