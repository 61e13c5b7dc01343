package controller_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/registry"
	"drydock.dev/drydock/registry/registrytest"
)

const registryPassword = "correct-horse-battery-staple"

// locked is a registry that wants to know who asks, with a base image in it.
type locked struct {
	*registrytest.Registry
	host string
	open string // the same one, open to all
}

func newLocked(t *testing.T, auth registrytest.Auth) *locked {
	t.Helper()
	l := &locked{Registry: registrytest.New(registrytest.Options{Auth: auth, Username: "ada", Password: registryPassword, Only: "team/"})}
	host := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return strings.TrimPrefix(server.URL, "http://")
	}
	l.host, l.open = host(l.Registry), host(l.Open())
	base, err := random.Image(1024, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := crane.Push(base, l.open+"/team/base:v1", crane.Insecure); err != nil {
		t.Fatal(err)
	}
	return l
}

// setLogin keeps a login for a registry as the gateway does.
func (w *world) setLogin(host, password string) error {
	w.t.Helper()
	gateway, err := cluster.New(cluster.Options{Kubeconfig: w.kubeconfig})
	if err != nil {
		w.t.Fatal(err)
	}
	defer gateway.Close()
	logins, err := registry.NewLogins(registry.Options{Rules: registry.Rules{Loopback: true}})
	if err != nil {
		w.t.Fatal(err)
	}
	in := model.SetRegistryCredentialInput{Registry: host, Username: "ada", Password: password}
	_, err = gateway.SetRegistryCredential(w.t.Context(), model.Owner{Login: w.login}, in, func(ctx context.Context) error {
		return logins.Try(ctx, host, in.Username, in.Password)
	})
	return err
}

// TestPrivateRegistries builds from private base images into private registries.
func TestPrivateRegistries(t *testing.T) {
	for _, auth := range []registrytest.Auth{registrytest.Basic, registrytest.Token} {
		t.Run(string(auth), func(t *testing.T) {
			w := newWorld(t)
			private, other := newLocked(t, auth), newLocked(t, auth)
			w.run(func(o *controller.Options) { o.Registries.Insecure = []string{private.host} })
			w.git.repository("based", map[string]string{"Dockerfile": "FROM " + private.host + "/team/base:v1\nCOPY . /\n"})
			plain, based := w.git.url("sample"), w.git.url("based")
			number := int64(0)
			try := func(reason, repository, destination string) *v1alpha1.Build {
				t.Helper()
				number++
				image := w.image("app"+string(rune('a'+number)), func(image *v1alpha1.Image) {
					image.Spec.Source.Repository, image.Spec.Destination = repository, destination
				})
				build := w.await(w.build(image, number), "ended", ended)
				if log := w.log(build); strings.Contains(log, registryPassword) {
					t.Errorf("%s: the log tells the password:\n%s", reason, log)
				}
				return build
			}
			check := func(reason string, build *v1alpha1.Build, want, words string) {
				t.Helper()
				if build.Status.Reason != want || !strings.Contains(build.Status.Message, words) {
					t.Errorf("%s: %s %q, want %s with %q", reason, build.Status.Reason, build.Status.Message, want, words)
				}
			}

			check("no login for the destination", try("", plain, private.host+"/team/app"), v1alpha1.ReasonPushDenied, "There is no login for "+private.host)
			check("no login for the base image", try("", based, w.registry+"/app"), v1alpha1.ReasonBuildFailed, "setRegistryCredential")
			if err := w.setLogin(private.host, "wrong"); err == nil {
				t.Error("a login that the registry refuses was kept")
			}
			for _, one := range []*locked{private, other} {
				if err := w.setLogin(one.host, registryPassword); err != nil {
					t.Fatal(err)
				}
			}
			build := try("two private registries", based, other.host+"/team/deep/er/app")
			check("two private registries", build, v1alpha1.ReasonPushed, "pushed")
			if digest, err := crane.Digest(other.open+"/team/deep/er/app:latest", crane.Insecure); err != nil || digest != build.Status.Digest {
				t.Errorf("the registry has %s (%v), the build says %s", digest, err, build.Status.Digest)
			}
			if !slices.Contains(private.Pulls(), "team/base:v1") {
				t.Errorf("the base image was not pulled: %v", private.Pulls())
			}
			check("a login that may not push there", try("", plain, private.host+"/others/app"), v1alpha1.ReasonPushDenied, "may not push there")
			w.nothingTells(registryPassword)
		})
	}
}

// nothingTells holds that no object of the account but Secrets has a text in it, in
// plain or as registries are sent it.
func (w *world) nothingTells(secret string) {
	w.t.Helper()
	for _, resource := range []string{"pods", "jobs.batch", "events", "configmaps", "builds.drydock.dev", "images.drydock.dev"} {
		text := plane.Kubectl(w.t, "get", resource, "--namespace", w.namespace, "--output", "json")
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte("ada:" + secret))} {
			if strings.Contains(text, form) {
				w.t.Errorf("%s tell the password", resource)
			}
		}
	}
}
