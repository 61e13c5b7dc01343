package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"syscall"
	"time"
)

// outputPatience is how long a process that is gone may have its output held open by
// its children.
const outputPatience = 2 * time.Second

// process runs a binary as a part, until stop. It gets its end told by SIGTERM, also
// when devstack is killed; Ctrl-C at the terminal reaches devstack alone.
func (s *stack) process(name string, stdout io.Writer, env []string, binary string, args ...string) (ended <-chan struct{}, err error) {
	command := exec.Command(binary, args...)
	command.Env = env
	command.Stdout, command.Stderr = stdout, s.out.part(name)
	command.WaitDelay = outputPatience
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := command.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	stopping := make(chan struct{})
	go func() {
		defer close(done)
		err := command.Wait()
		select {
		case <-stopping:
		default:
			s.failed <- fmt.Errorf("%s ended by itself: %w", name, orExit(err))
		}
	}()
	s.onStop(name, func(ctx context.Context) error {
		close(stopping)
		_ = command.Process.Signal(syscall.SIGTERM) // it may be gone
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // the whole group
			<-done
			return fmt.Errorf("it did not end in time and was killed")
		}
	})
	return done, nil
}

// orExit gives words to an end without an error.
func orExit(err error) error {
	if err == nil {
		return fmt.Errorf("exit code 0")
	}
	return err
}

// ready waits until a URL answers 200, the process ends, or the context does.
func ready(ctx context.Context, url string, ended <-chan struct{}) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	client := http.Client{Timeout: 5 * time.Second}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close() // nothing to read
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ended:
			return fmt.Errorf("it ended before it was ready; its lines above say why")
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
