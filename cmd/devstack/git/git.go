// Package git makes git repositories and serves them over smart HTTP, for
// development and end-to-end tests.
package git

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Handler serves the bare repositories of a directory for cloning
// (https://git-scm.com/docs/git-http-backend).
func Handler(ctx context.Context, root string) (http.Handler, error) {
	path, err := exec.CommandContext(ctx, "git", "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("git is needed: %w", err)
	}
	return &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	}, nil
}

// Create makes the bare repository root/name.git with files, all executable, in one
// commit on the branch main. A repository that is there stays as it is.
func Create(ctx context.Context, root, name string, files fs.FS) error {
	bare := filepath.Join(root, name+".git")
	if _, err := os.Stat(bare); err == nil {
		return nil
	}
	work, err := os.MkdirTemp("", "repository-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := copyFiles(filepath.Join(work, "tree"), files); err != nil {
		return err
	}
	work = filepath.Join(work, "tree")
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main", work},
		{"-C", work, "add", "--all"},
		{"-C", work, "-c", "user.name=Drydock", "-c", "user.email=samples@drydock.dev", "commit", "--quiet", "--message=First version"},
		{"clone", "--quiet", "--bare", work, bare},
	} {
		if text, err := exec.CommandContext(ctx, "git", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, text)
		}
	}
	return nil
}

// Commit adds a commit with files to a branch of the repository root/name.git, which is made
// of main where it is missing, and gives the commit.
func Commit(ctx context.Context, root, name, branch, message string, files fs.FS) (commit string, err error) {
	work, err := os.MkdirTemp("", "repository-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(work) }()
	tree := filepath.Join(work, "tree")
	run := func(args ...string) error {
		text, err := exec.CommandContext(ctx, "git", args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, text)
		}
		commit = strings.TrimSpace(string(text))
		return nil
	}
	if err := run("clone", "--quiet", filepath.Join(root, name+".git"), tree); err != nil {
		return "", err
	}
	if run("-C", tree, "checkout", "--quiet", branch) != nil {
		if err := run("-C", tree, "checkout", "--quiet", "-b", branch); err != nil {
			return "", err
		}
	}
	if err := copyFiles(tree, files); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"add", "--all"},
		{"-c", "user.name=Drydock", "-c", "user.email=samples@drydock.dev", "commit", "--quiet", "--message=" + message},
		{"push", "--quiet", "origin", branch},
		{"rev-parse", "HEAD"},
	} {
		if err := run(append([]string{"-C", tree}, args...)...); err != nil {
			return "", err
		}
	}
	return commit, nil
}

func copyFiles(to string, files fs.FS) error {
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, filepath.FromSlash(name))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o755)
	})
}
