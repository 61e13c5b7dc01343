package strategies_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/crane"
)

// TestBuildahCache: a second build takes a step's layers from the registry, a third one that
// may not, does the step again; a cache that cannot be written is told of, and no failure.
func TestBuildahCache(t *testing.T) {
	binary, err := helper()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, map[string]string{"helper": binary, "Dockerfile": "FROM scratch\nCOPY helper /helper\nRUN [\"/helper\", \"print\", \"1\"]\n"})
	const ran = "\nline 1\n"
	full := b.registry + "/team/app"
	readOnly := b.refusing("/cache/")
	for _, c := range []struct {
		reason, destination, cache string
		runs                       bool
		tells                      string
	}{
		{"the first build has nothing to take", full, "true", true, "Pushing cache " + full + "/cache:"},
		{"the second one takes it", full, "true", false, "Cache pulled from remote " + full + "/cache:"},
		{"an image without a cache does not", full, "", true, ""},
		{"a cache that may be read alone is no failure", readOnly + "/team/app", "true", false, "==> Layers cannot be kept in " + readOnly + "/team/app/cache"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			b.t = t
			b.env = map[string]string{"DRYDOCK_DESTINATION": c.destination, "DRYDOCK_CACHE": c.cache, "DRYDOCK_INSECURE_REGISTRIES": b.registry + "\n" + readOnly}
			log, said := b.run("buildah")
			if said.Digest == "" || len(said.Bases) > 0 {
				t.Errorf("%+v, want a digest and no bases", said)
			}
			if strings.Contains(log, ran) != c.runs || !strings.Contains(log, c.tells) || c.cache == "" && strings.Contains(log, "cache") {
				t.Errorf("the step ran: %v, want %v, and %q in\n%s", !c.runs, c.runs, c.tells, log)
			}
		})
	}
}

// refusing is the registry for those who write nowhere below a path.
func (b *bench) refusing(path string) string {
	through := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: b.registry})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, path) && r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`))
			return
		}
		through.ServeHTTP(w, r)
	}))
	b.t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// TestBuildahLabels: an image tells where it is from; what its author says of it counts.
func TestBuildahLabels(t *testing.T) {
	const prefix = "org.opencontainers.image."
	b := newBench(t, map[string]string{
		"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n",
		"Own":        "FROM scratch\n# org.opencontainers.image.revision is told\nLABEL " + prefix + "source=\"https://example.com/a b\" \\\n  " + prefix + "version=7 mine=1\nCOPY Own /\n",
	})
	plain := b.repository
	for _, c := range []struct {
		reason, repository, ref, dockerfile string
		want                                map[string]string
	}{
		{"a branch", plain, "main", "Dockerfile", map[string]string{"source": plain, "revision": b.commit, "ref.name": "main"}},
		{"a tag is a version", plain, "v1.0", "Dockerfile", map[string]string{"source": plain, "revision": b.commit, "ref.name": "v1.0", "version": "v1.0"}},
		{"a commit has no name", plain, b.commit, "Dockerfile", map[string]string{"source": plain, "revision": b.commit}},
		{"a URL without who asks for it", strings.Replace(plain, "//", "//ghp_token@", 1), "main", "Dockerfile", map[string]string{"source": plain, "revision": b.commit, "ref.name": "main"}},
		{"the author's own", plain, "v1.0", "Own", map[string]string{"source": "https://example.com/a b", "revision": b.commit, "ref.name": "v1.0", "version": "7"}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			b.t = t
			b.env = map[string]string{"DRYDOCK_REPOSITORY": c.repository, "DRYDOCK_REF": c.ref, "DRYDOCK_DOCKERFILE": c.dockerfile}
			_, said := b.run("buildah")
			image, err := crane.Pull(b.registry+"/team/app@"+said.Digest, crane.Insecure)
			if err != nil {
				t.Fatal(err)
			}
			config, err := image.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			manifest, err := image.Manifest()
			if err != nil {
				t.Fatal(err)
			}
			labels := map[string]string{}
			for key, value := range config.Config.Labels {
				if key, ours := strings.CutPrefix(key, prefix); ours {
					labels[key] = value
				}
			}
			if created, err := time.Parse(time.RFC3339, labels["created"]); err != nil || manifest.Annotations[prefix+"created"] != labels["created"] {
				t.Errorf("created %v (%v), as an annotation %q", created, err, manifest.Annotations[prefix+"created"])
			}
			delete(labels, "created")
			if diff := cmp.Diff(c.want, labels); diff != "" {
				t.Error(diff)
			}
		})
	}
}
