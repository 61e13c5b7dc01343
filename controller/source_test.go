package controller_test

import (
	"archive/tar"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"

	"drydock.dev/drydock/api/v1alpha1"
)

// withSubmodule adds a submodule to the branch main of a repository.
func (g *gitServer) withSubmodule(name, path, url string) {
	g.t.Helper()
	work := filepath.Join(g.t.TempDir(), name)
	g.git(g.root, "clone", "--quiet", name+".git", work)
	g.git(work, "submodule", "--quiet", "add", url, path)
	g.git(work, "commit", "--quiet", "--message", "submodule")
	g.git(work, "push", "--quiet", "origin", "main")
}

// TestSubmodules: they are there, at every depth; one that cannot be had fails the clone,
// and so does one of this very host's files.
func TestSubmodules(t *testing.T) {
	w := newWorld(t)
	w.run()
	dockerfile := "FROM scratch\nCOPY . /\n"
	for name, files := range map[string]map[string]string{
		"inner": {"deep": "deep\n"}, "middle": {"middle": "middle\n"}, "outer": {"Dockerfile": dockerfile, ".gitattributes": "*.bin filter=lfs diff=lfs -text\n"},
		"gone": {"Dockerfile": dockerfile}, "local": {"Dockerfile": dockerfile},
	} {
		w.git.repository(name, files)
	}
	w.git.withSubmodule("middle", "inner", w.git.url("inner"))
	w.git.withSubmodule("outer", "lib", w.git.url("middle"))
	w.git.withSubmodule("gone", "lib", w.git.url("inner"))
	w.git.moveSubmodule("gone", w.git.url("nothing"))
	w.git.withSubmodule("local", "lib", w.git.url("inner"))
	w.git.moveSubmodule("local", filepath.Join(w.git.root, "inner.git"))
	cases := []struct {
		reason, name, want, words string
	}{
		{"submodules within submodules", "outer", v1alpha1.ReasonPushed, "pushed"},
		{"a submodule that is gone", "gone", v1alpha1.ReasonCloneFailed, "A submodule could not be fetched"},
		{"a submodule that is a path of the host", "local", v1alpha1.ReasonCloneFailed, "A submodule could not be fetched"},
	}
	for number, c := range cases {
		image := w.image(c.name, func(image *v1alpha1.Image) { image.Spec.Source.Repository = w.git.url(c.name) })
		build := w.await(w.build(image, int64(number+1)), "ended", ended)
		if build.Status.Reason != c.want || !strings.Contains(build.Status.Message, c.words) {
			t.Errorf("%s: %s %q, want %s with %q", c.reason, build.Status.Reason, build.Status.Message, c.want, c.words)
		}
		if c.want != v1alpha1.ReasonPushed {
			continue
		}
		if log := w.log(build); !strings.Contains(log, "==> This repository uses Git LFS, which is left out") {
			t.Errorf("the log does not tell that LFS is left out:\n%s", log)
		}
		files := w.files(image.Spec.Destination)
		for _, file := range []string{"lib/middle", "lib/inner/deep"} {
			if !strings.Contains(files, file+"\n") {
				t.Errorf("%s: the image has no %s:\n%s", c.reason, file, files)
			}
		}
	}
}

// moveSubmodule makes the submodules of a repository come from elsewhere.
func (g *gitServer) moveSubmodule(name, to string) {
	g.t.Helper()
	work := filepath.Join(g.t.TempDir(), name)
	g.git(g.root, "clone", "--quiet", name+".git", work)
	g.git(work, "config", "--file", ".gitmodules", "submodule.lib.url", to)
	g.git(work, "commit", "--quiet", "--all", "--message", "another place")
	g.git(work, "push", "--quiet", "origin", "main")
}

// files are the paths in an image, one per line.
func (w *world) files(image string) string {
	w.t.Helper()
	pulled, err := crane.Pull(image, crane.Insecure)
	if err != nil {
		w.t.Fatal(err)
	}
	var names strings.Builder
	layers, err := pulled.Layers()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			w.t.Fatal(err)
		}
		archive := tar.NewReader(content)
		for {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				w.t.Fatal(err)
			}
			names.WriteString(header.Name + "\n")
		}
		_ = content.Close()
	}
	return names.String()
}
