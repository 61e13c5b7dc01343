package git_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"

	"drydock.dev/drydock/cmd/devstack/git"
)

// TestClone shows that what was created can be cloned shallowly, as builds do, and
// that creating it again keeps what was pushed meanwhile.
func TestClone(t *testing.T) {
	root := t.TempDir()
	files := fstest.MapFS{"Dockerfile": {Data: []byte("FROM scratch\n")}, "sub/file": {Data: []byte("text")}}
	for range 2 {
		if err := git.Create(t.Context(), root, "sample", files); err != nil {
			t.Fatal(err)
		}
		files = fstest.MapFS{"other": {}}
	}
	handler, err := git.Handler(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()

	clone := filepath.Join(t.TempDir(), "clone")
	command := exec.CommandContext(t.Context(), "git", "clone", "--quiet", "--depth=1", "--branch=main", server.URL+"/sample.git", clone)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(clone, "sub", "file"))
	if err != nil || string(text) != "text" {
		t.Errorf("sub/file holds %q, %v", text, err)
	}
}
