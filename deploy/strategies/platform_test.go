package strategies_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// platforms are those of the images at a reference, which is an index or one image.
func (b *bench) platforms(reference string) (found []string, digest string) {
	b.t.Helper()
	at, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		b.t.Fatal(err)
	}
	descriptor, err := remote.Get(at)
	if err != nil {
		b.t.Fatal(err)
	}
	if !descriptor.MediaType.IsIndex() {
		image, err := descriptor.Image()
		if err != nil {
			b.t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			b.t.Fatal(err)
		}
		return []string{config.Platform().String()}, descriptor.Digest.String()
	}
	index, err := descriptor.ImageIndex()
	if err != nil {
		b.t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, one := range manifest.Manifests {
		image, err := index.Image(one.Digest)
		if err != nil {
			b.t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			b.t.Fatal(err)
		}
		if platform := config.Platform().String(); platform != one.Platform.String() {
			b.t.Errorf("the index says %s of an image for %s", one.Platform, platform)
		}
		found = append(found, one.Platform.String())
	}
	return found, descriptor.Digest.String()
}

// TestBuildahPlatforms: several platforms are an index, one is an image, and what a foreign
// platform's steps would need is said.
func TestBuildahPlatforms(t *testing.T) {
	binary, err := helper()
	if err != nil {
		t.Fatal(err)
	}
	foreign := "s390x"
	b := newBench(t, map[string]string{
		"Copy": "FROM scratch\nARG TARGETARCH\nLABEL arch=$TARGETARCH\nCOPY Copy /\n",
		"Run":  "FROM scratch\nCOPY helper /helper\nRUN [\"/helper\", \"print\", \"1\"]\n", "helper": strings.Replace(binary, "\x7fELF", "\x7fFLE", 1),
	})
	for _, c := range []struct {
		reason, dockerfile, platforms, cache string
		want                                 []string
		message                              string
	}{
		{"none is the host's own", "Copy", "", "true", []string{"linux/" + runtime.GOARCH}, ""},
		{"a foreign one", "Copy", "linux/" + foreign, "true", []string{"linux/" + foreign}, ""},
		{"several are an index", "Copy", "linux/amd64\nlinux/arm64\nlinux/arm/v7", "true", []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}, ""},
		{"a step that cannot run here", "Run", "linux/" + foreign, "", nil, "linux/" + foreign + " would need others"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			b.t = t
			b.env = map[string]string{"DRYDOCK_DOCKERFILE": c.dockerfile, "DRYDOCK_PLATFORMS": c.platforms, "DRYDOCK_CACHE": c.cache, "DRYDOCK_TAGS": "latest\nmore"}
			log, said := b.run("buildah")
			if c.want == nil {
				if said.Reason != "PlatformUnsupported" || !strings.Contains(said.Message, c.message) {
					t.Errorf("%+v, want PlatformUnsupported with %q\n%s", said, c.message, log)
				}
				return
			}
			for _, tag := range said.Tags {
				got, digest := b.platforms(b.registry + "/team/app:" + tag)
				if diff := cmp.Diff(c.want, got); diff != "" || digest != said.Digest {
					t.Errorf("%s%s in the registry, %+v\n%s", diff, digest, said, log)
				}
			}
			if len(said.Tags) != 2 || len(said.Bases) > 0 {
				t.Errorf("%+v, want two tags and no bases", said)
			}
		})
	}
}
