package shim

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Main runs a container's command and returns its exit code: 128 + n when signal n ended it.
func Main(args []string) int {
	lifeline, report := os.NewFile(specFile, "spec"), os.NewFile(reportFile, "report")
	if len(args) == 1 && args[0] == "--probe" {
		return probe()
	}
	var spec Spec
	decoder := json.NewDecoder(lifeline)
	if err := decoder.Decode(&spec); err != nil {
		fmt.Fprintf(os.Stderr, "kubestack %s is started by the node, with its spec on file descriptor %d: %v\n", Command, specFile, err)
		return StartFailed
	}
	unix.CloseOnExec(specFile)
	unix.CloseOnExec(reportFile)
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2)
	pid, err := start(spec)
	if err != nil {
		_ = json.NewEncoder(report).Encode(Report{Error: err.Error()})
		return StartFailed
	}
	started := Report{Group: pid}
	if spec.Isolated {
		started.Group = 0
	}
	_ = json.NewEncoder(report).Encode(started)
	_ = report.Close()
	go func() {
		for received := range signals {
			_ = unix.Kill(-pid, received.(syscall.Signal)) // the command leads its process group
		}
	}()
	go func() {
		_, _ = io.Copy(io.Discard, io.MultiReader(decoder.Buffered(), lifeline))
		endAll(pid)
		os.Exit(128 + int(unix.SIGKILL))
	}()
	code := reap(pid)
	endAll(pid)
	return code
}

// start prepares the file system and starts the command in a new session.
func start(spec Spec) (int, error) {
	if spec.Isolated {
		// The working directory is a mount too, so that no other mount can hide it.
		mounts := append(spec.Mounts, Mount{Source: spec.Dir, Target: spec.Dir})
		if err := isolate(mounts, spec.Scratch); err != nil {
			return 0, err
		}
	} else if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("become subreaper: %w", err)
	}
	if err := os.Chdir(spec.Dir); err != nil {
		return 0, err
	}
	if info, err := os.Stat(spec.WorkingDir); spec.WorkingDir != "" && err == nil && info.IsDir() {
		if err := os.Chdir(spec.WorkingDir); err != nil {
			return 0, err
		}
	}
	program, err := lookup(spec.Args[0], spec.Env)
	if err != nil {
		return 0, err
	}
	input, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer func() { _ = input.Close() }()
	attributes := &syscall.SysProcAttr{Setsid: true}
	if !spec.Isolated {
		attributes.Pdeathsig = syscall.SIGKILL
	}
	process, err := os.StartProcess(program, spec.Args, &os.ProcAttr{
		Env:   spec.Env,
		Files: []*os.File{input, os.Stdout, os.Stderr},
		Sys:   attributes,
	})
	if err != nil {
		return 0, err
	}
	return process.Pid, nil
}

// lookup finds a program as execvp does, in the container's own PATH.
func lookup(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, pair := range env {
		path, found := strings.CutPrefix(pair, "PATH=")
		if !found {
			continue
		}
		for _, dir := range filepath.SplitList(path) {
			if program, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(program) {
				return program, nil
			}
		}
	}
	return "", fmt.Errorf("executable %q not found in the container's PATH", name)
}

// reap waits for every child until the command itself has ended, and returns its exit code.
func reap(command int) int {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 128 + int(unix.SIGKILL) // endAll, on its way to end everything, reaped the command
		case pid == command && status.Signaled():
			return 128 + int(status.Signal())
		case pid == command && status.Exited():
			return status.ExitStatus()
		}
	}
}
