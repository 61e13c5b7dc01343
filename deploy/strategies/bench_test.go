package strategies_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// bench runs a strategy's script as a pod would, without Kubernetes: on a repository, with
// a real registry. Its files are in dir.
type bench struct {
	t                  *testing.T
	dir, work          string // work is where builds keep their files
	registry           string // host:port
	repository, commit string
	env, tools         map[string]string // over the defaults
}

// said is a termination message.
type said struct {
	Commit, Digest, Reason, Message string
	Tags, Bases                     []string
}

func newBench(t *testing.T, files map[string]string) *bench {
	t.Helper()
	images := httptest.NewServer(registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, 0))))
	t.Cleanup(images.Close)
	b := &bench{t: t, dir: t.TempDir(), registry: strings.TrimPrefix(images.URL, "http://"), env: map[string]string{}}
	b.commit = b.commits(files)
	// The plain files of a repository are one, to git's simplest transport.
	source := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(b.dir, "git"))))
	t.Cleanup(source.Close)
	b.repository = source.URL + "/app.git"
	return b
}

// commits makes the repository of one commit, tagged v1.0.
func (b *bench) commits(files map[string]string) string {
	b.t.Helper()
	work := filepath.Join(b.dir, "work")
	b.write(work, files)
	b.git(work, "init", "--quiet")
	b.git(work, "add", ".")
	b.git(work, "commit", "--quiet", "--message", "one")
	b.git(work, "tag", "v1.0")
	bare := filepath.Join(b.dir, "git", "app.git")
	b.git(work, "clone", "--quiet", "--bare", ".", bare)
	b.git(bare, "update-server-info")
	return b.git(work, "rev-parse", "HEAD")
}

func (b *bench) git(dir string, args ...string) string {
	b.t.Helper()
	command := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"}, args...)...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
	out, err := command.CombinedOutput()
	if err != nil {
		b.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// write makes files in a folder.
func (b *bench) write(dir string, files map[string]string) string {
	b.t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			b.t.Fatal(err)
		}
	}
	return dir
}

// command is a shell with a strategy's environment.
func (b *bench) command(script string) (command *exec.Cmd, message string) {
	b.t.Helper()
	message, b.work = filepath.Join(b.t.TempDir(), "message"), b.t.TempDir()
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "TERMINATION_LOG_PATH": message, "DRYDOCK_WORK": b.work,
		"DRYDOCK_REPOSITORY": b.repository, "DRYDOCK_REF": "main", "DRYDOCK_COMMIT": "", "DRYDOCK_CONTEXT": ".", "DRYDOCK_DOCKERFILE": "Dockerfile",
		"DRYDOCK_DESTINATION": b.registry + "/team/app", "DRYDOCK_TAGS": "latest", "DRYDOCK_PLATFORMS": "", "DRYDOCK_CACHE": "", "DRYDOCK_ARGS": "",
		"DRYDOCK_INSECURE_REGISTRIES": b.registry, "DRYDOCK_REGISTRY_LOGINS": "", "DRYDOCK_GIT_CREDENTIAL": "/nonexistent", "DRYDOCK_SECRETS": "",
	}
	maps.Copy(env, b.tools)
	maps.Copy(env, b.env)
	command = exec.Command("sh", "-c", script)
	for name, value := range env {
		command.Env = append(command.Env, name+"="+value)
	}
	return command, message
}

// run runs a strategy to its end: what it printed and what it said.
func (b *bench) run(strategy string) (log string, s said) {
	b.t.Helper()
	command, message := b.command(script(b.t, strategy))
	out, err := command.CombinedOutput()
	if text, read := os.ReadFile(message); read != nil || json.Unmarshal(text, &s) != nil || (err == nil) != (s.Reason == "") {
		b.t.Fatalf("it ended with %v and said %q (%v):\n%s", err, text, read, out)
	}
	return string(out), s
}

// script is a strategy's, as its pod has it.
func script(t *testing.T, strategy string) string {
	t.Helper()
	text, err := os.ReadFile(strategy + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template corev1.PodTemplate
	if err := yaml.UnmarshalStrict(text, &template); err != nil {
		t.Fatal(err)
	}
	args := template.Template.Spec.Containers[0].Args
	return args[len(args)-1]
}

// helper is a static binary for RUN: the tests' images have no shell.
var helper = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "drydock-helper")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	command := exec.Command("go", "build", "-ldflags", "-s -w", "-o", filepath.Join(dir, "helper"), "drydock.dev/drydock/controller/testdata/helper")
	var complaint bytes.Buffer
	command.Env, command.Stderr = append(os.Environ(), "CGO_ENABLED=0"), &complaint
	if err := command.Run(); err != nil {
		return "", err
	}
	binary, err := os.ReadFile(filepath.Join(dir, "helper"))
	return string(binary), err
})
