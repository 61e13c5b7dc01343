package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Binaries are paths of what runs.
type Binaries struct {
	Drydock, Controller, Kubestack string
}

// Build builds the gateway and the controller into a directory, and finds kubestack: $KUBESTACK, else bin/kubestack,
// which is built where it is missing (some minutes for the first time). Root is the repository's directory.
func Build(ctx context.Context, root, dir string) (Binaries, error) {
	binaries := Binaries{
		Drydock:    filepath.Join(dir, "drydock"),
		Controller: filepath.Join(dir, "controller"),
		Kubestack:  os.Getenv("KUBESTACK"),
	}
	commands := [][]string{
		{"go", "build", "-o", binaries.Drydock, "."},
		{"go", "build", "-o", binaries.Controller, "./cmd/controller"},
	}
	if binaries.Kubestack == "" {
		binaries.Kubestack = filepath.Join(root, "bin", "kubestack")
	}
	if _, err := os.Stat(binaries.Kubestack); err != nil {
		commands = append(commands, []string{"make", "bin/kubestack"})
	}
	for _, args := range commands {
		command := exec.CommandContext(ctx, args[0], args[1:]...)
		command.Dir = root
		if text, err := command.CombinedOutput(); err != nil {
			return binaries, fmt.Errorf("%v: %w\n%s", args, err, text)
		}
	}
	return binaries, nil
}

// hostEnvironment is what a process needs of this machine: where programs are, a home, a place for temporary files.
func hostEnvironment() []string {
	var environment []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			environment = append(environment, name+"="+value)
		}
	}
	return environment
}
