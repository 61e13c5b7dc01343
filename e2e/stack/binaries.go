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
	Drydock, Controller string
}

// Build builds them into a directory. Root is the repository's.
func Build(ctx context.Context, root, dir string) (Binaries, error) {
	binaries := Binaries{Drydock: filepath.Join(dir, "drydock"), Controller: filepath.Join(dir, "controller")}
	for binary, source := range map[string]string{binaries.Drydock: ".", binaries.Controller: "./cmd/controller"} {
		command := exec.CommandContext(ctx, "go", "build", "-o", binary, source)
		command.Dir = root
		if text, err := command.CombinedOutput(); err != nil {
			return binaries, fmt.Errorf("%s: %w\n%s", command, err, text)
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
