package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWalk runs the whole service as `make run` does, and takes the README's walk by
// hack/walk.sh: a real image, built and pushed, and its seconds on the usage.
func TestWalk(t *testing.T) {
	bin := binaries(t)
	dir := filepath.Join(t.TempDir(), "dev stack") // a path that wants quotes
	whole := start(t, options{dir: dir, bin: bin, listen: "127.0.0.1:0", only: partNames()})
	defer whole.end(t)

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	walk := exec.CommandContext(ctx, "sh", "-c", `. "$0"; exec ../../hack/walk.sh`, filepath.Join(dir, "env"))
	walk.WaitDelay = outputPatience
	out, err := walk.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "walk: all is there") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// binaries builds what devstack starts; kubestack is $KUBESTACK, else what make built.
func binaries(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	for name, pkg := range map[string]string{"drydock": "../..", "controller": "../controller"} {
		command := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, name), pkg)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("go build %s: %v\n%s", pkg, err, out)
		}
	}
	kubestack := os.Getenv("KUBESTACK")
	if kubestack == "" {
		var err error
		if kubestack, err = filepath.Abs("../../bin/kubestack"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(kubestack); err != nil {
		t.Fatalf("build it first by make bin/kubestack: %v", err)
	}
	if err := os.Symlink(kubestack, filepath.Join(bin, "kubestack")); err != nil {
		t.Fatal(err)
	}
	return bin
}
