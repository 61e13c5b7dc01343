package registry_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"drydock.dev/drydock/cmd/devstack/registry"
)

// TestRestart shows that a second registry on the same directory has what was pushed
// to the first one, and not what was deleted there.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	image, err := random.Image(1024, 2)
	must(t, err)
	want, err := image.Digest()
	must(t, err)

	serve(t, dir, func(host string) {
		must(t, remote.Write(reference(t, host, "kept"), image))
		must(t, remote.Write(reference(t, host, "gone"), image))
		must(t, remote.Delete(reference(t, host, "gone")))
	})
	serve(t, dir, func(host string) {
		again, err := remote.Image(reference(t, host, "kept"))
		must(t, err)
		if got, err := again.Digest(); err != nil || got != want {
			t.Errorf("digest %v, %v; want %v", got, err, want)
		}
		layers, err := again.Layers()
		must(t, err)
		for _, layer := range layers {
			readable(t, layer)
		}
		if _, err := remote.Head(reference(t, host, "gone")); err == nil {
			t.Error("what was deleted came back")
		}
	})
}

func readable(t *testing.T, layer v1.Layer) {
	t.Helper()
	content, err := layer.Compressed()
	must(t, err)
	must(t, content.Close())
}

func serve(t *testing.T, dir string, use func(host string)) {
	t.Helper()
	r, err := registry.Open(dir)
	must(t, err)
	server := httptest.NewServer(r)
	defer server.Close()
	use(strings.TrimPrefix(server.URL, "http://"))
}

func reference(t *testing.T, host, tag string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(host + "/samples/image:" + tag)
	must(t, err)
	return ref
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
