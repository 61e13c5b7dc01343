package controller_test

import (
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// gitServer serves bare repositories over HTTP by git's own http-backend.
type gitServer struct {
	t    *testing.T
	root string
	base string
}

func newGitServer(t *testing.T) *gitServer {
	t.Helper()
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatalf("git is needed: %v", err)
	}
	root := t.TempDir()
	server := httptest.NewServer(&cgi.Handler{
		Path:   filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Env:    []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
		Stderr: io.Discard, Logger: log.New(io.Discard, "", 0), // clients go away
	})
	t.Cleanup(server.Close)
	git := &gitServer{t: t, root: root, base: server.URL}
	git.repository("sample", map[string]string{"Dockerfile": "FROM scratch\nCOPY . /\n", "hello": "hello\n"})
	return git
}

func (g *gitServer) url(name string) string { return g.base + "/" + name + ".git" }

func (g *gitServer) git(dir string, args ...string) string {
	g.t.Helper()
	command := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"}, args...)...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
	out, err := command.CombinedOutput()
	if err != nil {
		g.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// repository makes a repository of one commit on main, tagged v1.0, with a second
// commit on the branch feature/x; it returns the commit of main. A file whose content
// is "-> target" becomes a symbolic link.
func (g *gitServer) repository(name string, files map[string]string) string {
	g.t.Helper()
	work := filepath.Join(g.t.TempDir(), name)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(work, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			g.t.Fatal(err)
		}
		var err error
		if target, link := strings.CutPrefix(files[file], "-> "); link {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(files[file]), 0o755)
		}
		if err != nil {
			g.t.Fatal(err)
		}
	}
	g.git(work, "init", "--quiet")
	g.git(work, "add", ".")
	g.git(work, "commit", "--quiet", "--message", "one")
	g.git(work, "tag", "v1.0")
	commit := g.git(work, "rev-parse", "HEAD")
	g.git(work, "checkout", "--quiet", "-b", "feature/x")
	g.git(work, "commit", "--quiet", "--allow-empty", "--message", "two")
	g.git(work, "clone", "--quiet", "--bare", ".", filepath.Join(g.root, name+".git"))
	g.git(filepath.Join(g.root, name+".git"), "symbolic-ref", "HEAD", "refs/heads/main")
	return commit
}

// helper is testdata/helper as a static binary: images of the tests have no shell.
var helper = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "drydock-helper")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	command := exec.Command("go", "build", "-ldflags", "-s -w", "-o", filepath.Join(dir, "helper"), "./testdata/helper")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "helper"))
})

// runs makes a repository whose Dockerfile runs the helper with arguments.
func (g *gitServer) runs(name, arguments string) string {
	g.t.Helper()
	binary, err := helper()
	if err != nil {
		g.t.Fatal(err)
	}
	g.repository(name, map[string]string{
		"helper":     string(binary),
		"Dockerfile": "FROM scratch\nCOPY helper /helper\nRUN " + arguments + "\n",
	})
	return g.url(name)
}

// denying is a registry that refuses every push with a status.
func denying(t *testing.T, status int) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/v2/" && status != http.StatusUnauthorized {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if status == http.StatusUnauthorized {
			w.Header().Set("Www-Authenticate", `Basic realm="registry"`)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`))
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}
