package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing/fstest"

	"drydock.dev/drydock/cmd/devstack/git"
)

// samples holds a folder for each sample repository.
//
//go:embed samples
var samples embed.FS

// stepSource is compiled into the repository of the sample that holds it.
const stepSource = "step.go.txt"

func startGit(ctx context.Context, s *stack) error {
	root := filepath.Join(s.dir, "git")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	folders, err := samples.ReadDir("samples")
	if err != nil {
		return err
	}
	for _, folder := range folders {
		files, err := sample(ctx, s.dir, folder.Name())
		if err != nil {
			return err
		}
		if err := git.Create(ctx, root, folder.Name(), files); err != nil {
			return err
		}
	}
	handler, err := git.Handler(ctx, root)
	if err != nil {
		return err
	}
	address, err := s.serve("git", "127.0.0.1:8081", handler)
	s.env.set("GIT_URL", quote("http://"+address))
	s.env.set("SAMPLE_REPOSITORY", quote("http://"+address+"/hello.git"))
	return err
}

// sample gives the files of a sample's repository. A step's source becomes a static
// program: an image FROM scratch has nothing else to run.
func sample(ctx context.Context, dir, name string) (fs.FS, error) {
	files, err := fs.Sub(samples, "samples/"+name)
	if err != nil {
		return nil, err
	}
	source, err := fs.ReadFile(files, stepSource)
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "git", name+".git")); err == nil {
		return files, nil // made already
	}
	step, err := compile(ctx, source)
	if err != nil {
		return nil, err
	}
	dockerfile, err := fs.ReadFile(files, "Dockerfile")
	if err != nil {
		return nil, err
	}
	return fstest.MapFS{"Dockerfile": {Data: dockerfile}, "step": {Data: step}, "step.go": {Data: source}}, nil
}

func compile(ctx context.Context, source []byte) ([]byte, error) {
	work, err := os.MkdirTemp("", "step-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := os.WriteFile(filepath.Join(work, "step.go"), source, 0o644); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", "step", "step.go")
	command.Dir = work
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return os.ReadFile(filepath.Join(work, "step"))
}
