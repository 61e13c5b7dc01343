package stack

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// gitHandler serves the bare repositories of a directory over git's smart HTTP protocol
// (https://git-scm.com/docs/git-http-backend).
func gitHandler(ctx context.Context, root string) (http.Handler, error) {
	path, err := exec.CommandContext(ctx, "git", "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("git is needed: %w", err)
	}
	return &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	}, nil
}

// Repository makes a git repository with these files (executable), by path, on its branch main, and returns its clone URL.
func (s *Stack) Repository(ctx context.Context, name string, files map[string]string) (string, error) {
	work := filepath.Join(s.dir, "work", name)
	for file, text := range files {
		file = filepath.Join(work, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			return "", err
		}
	}
	bare := filepath.Join(s.dir, "git", name+".git")
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main", work},
		{"-C", work, "add", "--all"},
		{"-C", work, "-c", "user.name=e2e", "-c", "user.email=e2e@example.com", "commit", "--quiet", "--message=sample"},
		{"clone", "--quiet", "--bare", work, bare},
	} {
		if text, err := exec.CommandContext(ctx, "git", args...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, text)
		}
	}
	return s.Git + "/" + name + ".git", nil
}
