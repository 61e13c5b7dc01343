package stack

import (
	"context"
	"io/fs"

	"drydock.dev/drydock/cmd/devstack/git"
)

// Repository makes a git repository with these files (executable) on its branch main, and returns its clone URL.
func (s *Stack) Repository(ctx context.Context, name string, files fs.FS) (string, error) {
	return s.Git + "/" + name + ".git", git.Create(ctx, s.repositories(), name, files)
}

// Commit adds a commit with files to a branch of a repository, and returns it.
func (s *Stack) Commit(ctx context.Context, name, branch, message string, files fs.FS) (string, error) {
	return git.Commit(ctx, s.repositories(), name, branch, message, files)
}
