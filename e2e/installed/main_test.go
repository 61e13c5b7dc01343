// Package installed tests what deploy/ installs: the chart and the kustomization say the same, the API server's own schemas
// hold for it, and the gateway and the controller run from it in pods, as their service accounts.
package installed

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"drydock.dev/drydock/e2e/stack"
)

// patience is how long a test waits for anything to come about, builds included.
const patience = 2 * time.Minute

// house is what the installation runs on; TestMain sets it.
var house *stack.Stack

// bin has the tools that render and check manifests.
var bin string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "installed:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "drydock-installed-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if bin, err = buildTools(ctx); err != nil {
		return 1, err
	}
	binaries, err := stack.Build(ctx, root, dir)
	if err != nil {
		return 1, err
	}
	house, err = stack.Start(ctx, stack.Options{
		Binaries: binaries, Dir: filepath.Join(dir, "stack"), Log: io.Discard,
		Manifests: func(s *stack.Stack) ([][]byte, error) { return overlay(s, filepath.Join(root, "deploy")) },
	})
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if closing := house.Close(ctx); closing != nil && err == nil {
			err = closing
		}
	}()
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}
