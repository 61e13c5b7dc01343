package strategies_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// buildkit puts BuildKit on a bench: the folder BUILDKIT has buildkitd and buildctl of the
// version in buildkit.yaml (make bin/buildkit). It runs as root, with runc.
func (b *bench) buildkit() {
	b.t.Helper()
	tools := os.Getenv("BUILDKIT")
	if tools == "" {
		b.t.Skip("BUILDKIT names no folder with buildkitd and buildctl: make test builds them")
	}
	if os.Geteuid() != 0 {
		b.t.Skip("BuildKit needs root here, or RootlessKit")
	}
	for _, tool := range []string{"runc", filepath.Join(tools, "buildkitd"), filepath.Join(tools, "buildctl")} {
		if _, err := exec.LookPath(tool); err != nil {
			b.t.Fatalf("%v: make packages-test bin/buildkit", err)
		}
	}
	daemonless, err := os.ReadFile("testdata/buildctl-daemonless.sh")
	if err != nil {
		b.t.Fatal(err)
	}
	b.write(filepath.Join(b.dir, "bin"), map[string]string{"buildctl-daemonless.sh": string(daemonless)})
	b.tools = map[string]string{
		"PATH":            filepath.Join(b.dir, "bin") + ":" + tools + ":" + os.Getenv("PATH"),
		"BUILDKITD_FLAGS": "--oci-worker-snapshotter=native", "SBOM_SCANNER": "",
	}
}

// TestBuildkit builds an image for two platforms, with a secret, from a base, twice.
func TestBuildkit(t *testing.T) {
	binary, err := helper()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, map[string]string{"helper": binary, "Dockerfile": `ARG BASE
FROM $BASE AS base
FROM --platform=$BUILDPLATFORM scratch AS secret
COPY helper /helper
RUN --mount=type=secret,id=npm ["/helper", "show", "/run/secrets/npm"]
FROM scratch
COPY --from=secret /helper /helper
COPY --from=base / /base
`})
	b.buildkit()
	base := b.registry + "/team/base"
	baseDigest := b.index(base + ":v1")
	b.env = map[string]string{
		"DRYDOCK_SECRETS": b.write(filepath.Join(b.dir, "secrets"), map[string]string{"npm": "npm_barracuda"}),
		"DRYDOCK_ARGS":    "BASE", "DRYDOCK_ARG_BASE": base + ":v1", "DRYDOCK_CACHE": "true",
		"DRYDOCK_PLATFORMS": "linux/amd64\nlinux/arm64", "DRYDOCK_TAGS": "latest\nmore", "SBOM_SCANNER": b.scanner(binary),
	}
	for _, run := range []string{"the first", "the second"} {
		log, said := b.run("buildkit")
		if strings.Contains(log, "npm_barracuda") || strings.Contains(log, "*** <nil>") == (run == "the second") {
			t.Errorf("%s build: its secret should be masked, and the step should run in the first alone:\n%s", run, log)
		}
		if diff := cmp.Diff([]string{base + ":v1@" + baseDigest}, said.Bases); diff != "" {
			t.Errorf("bases: %s\n%s", diff, log)
		}
		if diff := cmp.Diff([]string{"latest", "more"}, said.Tags); diff != "" || said.Commit != b.commit {
			t.Errorf("%s %+v", diff, said)
		}
		b.checkIndex(said)
	}
}

// TestBuildkitUnscanned: an installation whose nodes cannot pull the SBOM scanner, or run it, builds all the same. A
// step of the Dockerfile's that fails is still that.
func TestBuildkitUnscanned(t *testing.T) {
	binary, err := helper()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n", "helper": binary,
		"Failing": "FROM scratch\nCOPY helper /helper\nRUN [\"/helper\", \"exit\"]\n"})
	b.buildkit()
	const without = "==> The image gets no SBOM"
	for reason, scanner := range map[string]string{"there is none": b.registry + "/team/none:v1", "it does not run": b.scanner("no program")} {
		b.env = map[string]string{"SBOM_SCANNER": scanner}
		if log, said := b.run("buildkit"); said.Digest == "" || strings.Count(log, without) != 1 {
			t.Errorf("%s: %+v\n%s", reason, said, log)
		}
	}
	b.env["DRYDOCK_DOCKERFILE"] = "Failing"
	if log, said := b.run("buildkit"); said.Reason != "BuildFailed" || strings.Contains(log, without) {
		t.Errorf("a step that fails: %+v\n%s", said, log)
	}
}

// checkIndex holds what was pushed to: two platforms, labelled, and the attestations of each.
func (b *bench) checkIndex(s said) {
	b.t.Helper()
	at, err := name.ParseReference(b.registry+"/team/app:latest", name.Insecure)
	if err != nil {
		b.t.Fatal(err)
	}
	index, err := remote.Index(at)
	if err != nil {
		b.t.Fatal(err)
	}
	if digest, err := index.Digest(); err != nil || digest.String() != s.Digest {
		b.t.Errorf("the registry has %s (%v), the strategy said %s", digest, err, s.Digest)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		b.t.Fatal(err)
	}
	var platforms, predicates []string
	for _, one := range manifest.Manifests {
		platforms = append(platforms, one.Platform.String())
		image, err := index.Image(one.Digest)
		if err != nil {
			b.t.Fatal(err)
		}
		if one.Platform.OS == "unknown" {
			layers, err := image.Manifest()
			if err != nil {
				b.t.Fatal(err)
			}
			for _, layer := range layers.Layers {
				predicates = append(predicates, layer.Annotations["in-toto.io/predicate-type"])
			}
			continue
		}
		config, err := image.ConfigFile()
		if err != nil || config.Config.Labels["org.opencontainers.image.revision"] != s.Commit {
			b.t.Errorf("labels %v (%v)", config.Config.Labels, err)
		}
		if text, err := content(image); err != nil || strings.Contains(string(text), "npm_barracuda") {
			b.t.Errorf("the image holds the secret, or %v", err)
		}
	}
	slices.Sort(platforms)
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64", "unknown/unknown", "unknown/unknown"}, platforms); diff != "" {
		b.t.Error("platforms:", diff)
	}
	slices.Sort(predicates)
	want := []string{"https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v0.2", "https://spdx.dev/Document", "https://spdx.dev/Document"}
	if diff := cmp.Diff(want, predicates); diff != "" {
		b.t.Error("attestations:", diff)
	}
}

// scanner pushes an SBOM scanner.
func (b *bench) scanner(binary string) string {
	b.t.Helper()
	var archive bytes.Buffer
	files := tar.NewWriter(&archive)
	if err := files.WriteHeader(&tar.Header{Name: "scan", Mode: 0o755, Size: int64(len(binary))}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := files.Write([]byte(binary)); err != nil {
		b.t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		b.t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil })
	if err != nil {
		b.t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		b.t.Fatal(err)
	}
	config := v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, Config: v1.Config{Entrypoint: []string{"/scan"}}}
	built, err := image.ConfigFile()
	if err != nil {
		b.t.Fatal(err)
	}
	config.RootFS = built.RootFS
	if image, err = mutate.ConfigFile(image, &config); err != nil {
		b.t.Fatal(err)
	}
	reference := b.registry + "/team/scanner:v1"
	if err := crane.Push(image, reference, crane.Insecure); err != nil {
		b.t.Fatal(err)
	}
	return reference
}
