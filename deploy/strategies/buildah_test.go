package strategies_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// TestBuildahSlowLog: a step that prints more than its log's reader takes loses nothing of it,
// though Buildah does not wait for readers when a step has ended.
func TestBuildahSlowLog(t *testing.T) {
	const printed = 20_000
	binary, err := helper()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, map[string]string{"helper": binary, "Dockerfile": fmt.Sprintf("FROM scratch\nCOPY helper /helper\nRUN [\"/helper\", \"print\", \"%d\"]\n", printed)})
	command, _ := b.command(script(t, "buildah"))
	log, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	// Nobody reads until the image is built.
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if built, err := filepath.Glob(filepath.Join(b.work, "build.*", "image")); err != nil || len(built) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Error("the build waits for the reader of its log")
			break
		}
	}
	text, err := io.ReadAll(log)
	if err := errors.Join(err, command.Wait()); err != nil {
		t.Fatalf("%v:\n%.1000s", err, text)
	}
	var want strings.Builder
	for n := range printed {
		_, _ = fmt.Fprintln(&want, "line", n+1)
	}
	if !strings.Contains(string(text), "\n"+want.String()) {
		t.Errorf("of %d lines that a step printed %d are there, or out of order", printed, strings.Count(string(text), "\nline "))
	}
}

// TestBuildahSecrets: a step sees a secret where it mounts it; nobody sees it later.
func TestBuildahSecrets(t *testing.T) {
	binary, err := helper()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, map[string]string{"helper": binary, "Dockerfile": `FROM scratch
COPY helper /helper
RUN --mount=type=secret,id=npm ["/helper", "show", "/run/secrets/npm"]
RUN --mount=type=secret,id=other,target=/etc/other ["/helper", "show", "/etc/other"]
RUN ["/helper", "show", "/run/secrets/npm"]
`})
	secrets := map[string]string{"npm": "npm_barracuda\nsecond line of it\n", "other": "for-your-eyes"}
	b.env["DRYDOCK_SECRETS"] = b.write(filepath.Join(b.dir, "secrets"), secrets)
	log, said := b.run("buildah")
	for _, line := range []string{"***\n***\n <nil>\n", "*** <nil>\n", "open /run/secrets/npm: no such file or directory\n"} {
		if !strings.Contains(log, line) {
			t.Errorf("the log has no %q:\n%s", line, log)
		}
	}
	image, err := crane.Pull(b.registry+"/team/app", crane.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	kept := log + said.Message
	for _, part := range []func() ([]byte, error){image.RawManifest, image.RawConfigFile, func() ([]byte, error) { return content(image) }} {
		text, err := part()
		if err != nil || len(text) == 0 {
			t.Fatalf("%d bytes: %v", len(text), err)
		}
		kept += string(text)
	}
	for _, secret := range []string{"npm_barracuda", "second line of it", "for-your-eyes"} {
		if strings.Contains(kept, secret) {
			t.Errorf("the log or the image holds %q", secret)
		}
	}
	if !strings.Contains(kept, "helper") {
		t.Error("the image's layers were not looked into")
	}
}

// content is what all layers hold, uncompressed.
func content(image v1.Image) ([]byte, error) {
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	for _, layer := range layers {
		reader, err := layer.Uncompressed()
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(&all, reader); err != nil {
			return nil, err
		}
		_ = reader.Close()
	}
	return all.Bytes(), nil
}

// index pushes an image of two platforms, and gives its digest.
func (b *bench) index(reference string) string {
	b.t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, architecture := range []string{"amd64", "arm64"} {
		image, err := random.Image(64, 1)
		if err != nil {
			b.t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			b.t.Fatal(err)
		}
		config.OS, config.Architecture = "linux", architecture
		if image, err = mutate.ConfigFile(image, config); err != nil {
			b.t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: config.Platform()}})
	}
	to, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := remote.WriteIndex(to, index); err != nil {
		b.t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		b.t.Fatal(err)
	}
	return digest.String()
}

// TestBuildahBases: what a strategy says of base images is what their registry has.
func TestBuildahBases(t *testing.T) {
	b := newBench(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	first, second, pinned, copied := b.registry+"/team/first", b.registry+"/team/second", b.registry+"/team/pinned", b.registry+"/team/copied"
	digests := map[string]string{}
	for _, reference := range []string{first + ":v1", second + ":latest", pinned + ":v3", copied + ":v4"} {
		digests[reference] = b.index(reference)
	}
	cases := []struct {
		reason, dockerfile string
		want               []string
	}{
		{"scratch is none", "FROM scratch\nCOPY Dockerfile /\n", nil},
		{"stages are none and arguments are filled in and a digest has no tag",
			"ARG TAG=none\nARG WHICH=second\nFROM " + first + ":$TAG AS build\nCOPY Dockerfile /\nFROM ${WHICH:+" + b.registry + "/team/$WHICH} AS more\nCOPY --from=build /Dockerfile /\n" +
				"FROM " + pinned + "@" + digests[pinned+":v3"] + "\nCOPY --from=more /Dockerfile /\nCOPY --from=" + copied + ":v4 / /\n",
			[]string{copied + ":v4@" + digests[copied+":v4"], first + ":v1@" + digests[first+":v1"], pinned + "@" + digests[pinned+":v3"], second + ":latest@" + digests[second+":latest"]}},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			one := newBench(t, map[string]string{"Dockerfile": c.dockerfile})
			one.env = map[string]string{"DRYDOCK_ARGS": "TAG", "DRYDOCK_ARG_TAG": "v1", "DRYDOCK_INSECURE_REGISTRIES": b.registry + "\n" + one.registry}
			log, said := one.run("buildah")
			if diff := cmp.Diff(c.want, slices.Sorted(slices.Values(said.Bases))); diff != "" {
				t.Errorf("%s\n%s", diff, log)
			}
			if left, err := os.ReadDir(one.work); err != nil || len(left) > 0 {
				t.Errorf("the build left %v behind (%v)", left, err)
			}
		})
	}
}
