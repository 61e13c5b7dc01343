package cluster_test

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/graph/model"
)

// TestRules holds the rules in graph/model and those in the CRDs to the same verdicts.
func TestRules(t *testing.T) {
	w := newWorld(t)
	type in = model.CreateImageInput
	long := func(n int) string { return strings.Repeat("a", n) }
	many := func(n int) (tags []string) {
		for i := range n {
			tags = append(tags, "t"+strings.Repeat("x", i))
		}
		return tags
	}
	args := func(n int, value string) (all []*model.KeyValueInput) {
		for i := range n {
			all = append(all, &model.KeyValueInput{Key: "K" + strings.Repeat("X", i), Value: value})
		}
		return all
	}
	timeout := func(n int) *int { return &n }
	for _, test := range []struct {
		reason string
		change func(*in)
		legal  bool
	}{
		{"the example", func(*in) {}, true},
		{"name: one letter", func(i *in) { i.Name = "a" }, true},
		{"name: the longest", func(i *in) { i.Name = long(63) }, true},
		{"name: too long", func(i *in) { i.Name = long(64) }, false},
		{"name: none", func(i *in) { i.Name = "" }, false},
		{"name: upper case", func(i *in) { i.Name = "App" }, false},
		{"name: hyphen at the end", func(i *in) { i.Name = "app-" }, false},
		{"name: a subdomain is no label", func(i *in) { i.Name = "a.b" }, false},

		{"repository: ssh", func(i *in) { i.Source.Repository = "ssh://git@host:2222/team/app.git" }, true},
		{"repository: the scp form", func(i *in) { i.Source.Repository = "git@host:team/app.git" }, true},
		{"repository: plain http with a port", func(i *in) { i.Source.Repository = "http://127.0.0.1:3000/app.git" }, true},
		{"repository: a password", func(i *in) { i.Source.Repository = "https://ada:secret@host/app.git" }, false},
		{"repository: a local file", func(i *in) { i.Source.Repository = "file:///etc" }, false},
		{"repository: a path", func(i *in) { i.Source.Repository = "/srv/app.git" }, false},
		{"repository: an option of git", func(i *in) { i.Source.Repository = "--upload-pack=touch /x" }, false},
		{"repository: an option as the host", func(i *in) { i.Source.Repository = "ssh://-oProxyCommand/x" }, false},
		{"repository: git's ext transport", func(i *in) { i.Source.Repository = "ext::sh -c touch% /x" }, false},
		{"repository: a line break", func(i *in) { i.Source.Repository = "https://host/app.git\n" }, false},
		{"repository: too long", func(i *in) { i.Source.Repository = "https://host/" + long(2048) }, false},

		{"ref: a branch with slashes", func(i *in) { i.Source.Ref = "feature/x_1.2+b" }, true},
		{"ref: none", func(i *in) { i.Source.Ref = "" }, false},
		{"ref: an option", func(i *in) { i.Source.Ref = "-f" }, false},
		{"ref: a range", func(i *in) { i.Source.Ref = "a..b" }, false},
		{"ref: a lock", func(i *in) { i.Source.Ref = "a.lock" }, false},
		{"ref: slash at the end", func(i *in) { i.Source.Ref = "a/" }, false},
		{"ref: dot at the end", func(i *in) { i.Source.Ref = "a." }, false},
		{"ref: two slashes", func(i *in) { i.Source.Ref = "a//b" }, false},
		{"ref: blank", func(i *in) { i.Source.Ref = "a b" }, false},
		{"ref: the longest", func(i *in) { i.Source.Ref = long(255) }, true},
		{"ref: too long", func(i *in) { i.Source.Ref = long(256) }, false},

		{"context: a folder", func(i *in) { i.Source.Context = "services/api" }, true},
		{"context: dots in a name", func(i *in) { i.Source.Context = "a..b/..c" }, true},
		{"context: out of the repository", func(i *in) { i.Source.Context = "a/../../etc" }, false},
		{"context: absolute", func(i *in) { i.Source.Context = "/etc" }, false},
		{"context: none", func(i *in) { i.Source.Context = "" }, false},
		{"dockerfile: a path", func(i *in) { i.Source.Dockerfile = "docker/Dockerfile.prod" }, true},
		{"dockerfile: out of the context", func(i *in) { i.Source.Dockerfile = "../Dockerfile" }, false},
		{"dockerfile: an option", func(i *in) { i.Source.Dockerfile = "-f" }, false},
		{"dockerfile: too long", func(i *in) { i.Source.Dockerfile = long(1025) }, false},

		{"destination: loopback", func(i *in) { i.Destination = "127.0.0.1:5000/app" }, true},
		{"destination: localhost without a port", func(i *in) { i.Destination = "localhost/app" }, true},
		{"destination: a bare name with a port", func(i *in) { i.Destination = "registry:5000/a/b/c" }, true},
		{"destination: a bare name without one is a path", func(i *in) { i.Destination = "registry/app" }, false},
		{"destination: no path", func(i *in) { i.Destination = "registry.example.com" }, false},
		{"destination: a tag", func(i *in) { i.Destination = "registry.example.com/app:latest" }, false},
		{"destination: two ports", func(i *in) { i.Destination = "registry:5000:5000/app" }, false},
		{"destination: upper case path", func(i *in) { i.Destination = "registry.example.com/App" }, false},
		{"destination: a URL", func(i *in) { i.Destination = "https://registry.example.com/app" }, false},
		{"destination: host with a hyphen first", func(i *in) { i.Destination = "-x.example.com/app" }, false},
		{"destination: path going up", func(i *in) { i.Destination = "registry.example.com/../app" }, false},
		{"destination: too long", func(i *in) { i.Destination = "registry.example.com/" + long(255) }, false},

		{"tags: templates", func(i *in) { i.Tags = []string{"v{{.Number}}", "{{ .Branch }}-{{.ShortCommit}}", "{{.Date}}"} }, true},
		{"tags: none", func(i *in) { i.Tags = []string{} }, false},
		{"tags: as many as may be", func(i *in) { i.Tags = many(20) }, true},
		{"tags: too many", func(i *in) { i.Tags = many(21) }, false},
		{"tags: one twice", func(i *in) { i.Tags = []string{"a", "a"} }, false},
		{"tags: an unknown template", func(i *in) { i.Tags = []string{"{{.Secret}}"} }, false},
		{"tags: a dot first", func(i *in) { i.Tags = []string{".a"} }, false},
		{"tags: a slash", func(i *in) { i.Tags = []string{"a/b"} }, false},
		{"tags: empty", func(i *in) { i.Tags = []string{""} }, false},
		{"tags: the longest", func(i *in) { i.Tags = []string{long(128)} }, true},
		{"tags: too long", func(i *in) { i.Tags = []string{long(129)} }, false},
		{"tags: a long template", func(i *in) { i.Tags = []string{"{{.Commit}}" + long(200)} }, true},
		{"tags: too long a template", func(i *in) { i.Tags = []string{"{{.Commit}}" + long(250)} }, false},

		{"buildArgs: any text", func(i *in) { i.BuildArgs = args(1, "a=b, \"c\"\n√ä") }, true},
		{"buildArgs: the longest, in bytes", func(i *in) { i.BuildArgs = args(1, strings.Repeat("ä", 2048)) }, true},
		{"buildArgs: too long, in bytes", func(i *in) { i.BuildArgs = args(1, strings.Repeat("ä", 2049)) }, false},
		{"buildArgs: too long", func(i *in) { i.BuildArgs = args(1, long(4097)) }, false},
		{"buildArgs: NUL", func(i *in) { i.BuildArgs = args(1, "a\x00b") }, false},
		{"buildArgs: as many as may be", func(i *in) { i.BuildArgs = args(100, "x") }, true},
		{"buildArgs: too many", func(i *in) { i.BuildArgs = args(101, "x") }, false},
		{"buildArgs: a key twice", func(i *in) { i.BuildArgs = append(args(1, "x"), args(1, "y")...) }, false},
		{"buildArgs: a digit first", func(i *in) { i.BuildArgs = []*model.KeyValueInput{{Key: "1A"}} }, false},
		{"buildArgs: an empty key", func(i *in) { i.BuildArgs = []*model.KeyValueInput{{Value: "x"}} }, false},
		{"buildArgs: too long a key", func(i *in) { i.BuildArgs = []*model.KeyValueInput{{Key: long(129)}} }, false},

		{"platforms: with a variant", func(i *in) { i.Platforms = []string{"linux/amd64", "linux/arm/v7"} }, true},
		{"platforms: no architecture", func(i *in) { i.Platforms = []string{"linux"} }, false},
		{"platforms: one twice", func(i *in) { i.Platforms = []string{"linux/amd64", "linux/amd64"} }, false},
		{"platforms: a list in one", func(i *in) { i.Platforms = []string{"linux/amd64,linux/arm64"} }, false},
		{"platforms: too many", func(i *in) { i.Platforms = strings.Fields("a/a a/b a/c a/d a/e a/f a/g a/h a/i") }, false},
		{"platforms: too long", func(i *in) { i.Platforms = []string{"linux/" + long(64)} }, false},

		{"timeout: the shortest", func(i *in) { i.TimeoutSeconds = timeout(10) }, true},
		{"timeout: too short", func(i *in) { i.TimeoutSeconds = timeout(9) }, false},
		{"timeout: the longest", func(i *in) { i.TimeoutSeconds = timeout(86400) }, true},
		{"timeout: too long", func(i *in) { i.TimeoutSeconds = timeout(86401) }, false},
		{"timeout: negative", func(i *in) { i.TimeoutSeconds = timeout(-1) }, false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			image := input("app")
			test.change(&image)
			problems := image.Validate()
			if (len(problems) == 0) != test.legal {
				t.Errorf("the vocabulary says %v, want legal: %v", problems, test.legal)
			}
			kinds := []*unstructured.Unstructured{imageObject(image)}
			if !strings.HasPrefix(test.reason, "name:") && !strings.HasPrefix(test.reason, "timeout:") {
				kinds = append(kinds, buildObject(image))
			}
			for _, object := range kinds {
				err := w.Create(t.Context(), object, client.DryRunAll)
				if err != nil && !apierrors.IsInvalid(err) {
					t.Fatal(err)
				}
				if (err == nil) != test.legal {
					t.Errorf("the API server says %v of the %s, want legal: %v", err, object.GetKind(), test.legal)
				}
			}
		})
	}
}

// recipe is the part that an Image and a Build share, with empty texts spelled out.
func recipe(in model.CreateImageInput) map[string]any {
	spec := map[string]any{
		"source": map[string]any{"repository": in.Source.Repository, "ref": in.Source.Ref,
			"context": in.Source.Context, "dockerfile": in.Source.Dockerfile},
		"destination": in.Destination, "tags": anys(in.Tags), "platforms": anys(in.Platforms),
	}
	args := []any{}
	for _, arg := range in.BuildArgs {
		args = append(args, map[string]any{"key": arg.Key, "value": arg.Value})
	}
	spec["buildArgs"] = args
	return spec
}

func imageObject(in model.CreateImageInput) *unstructured.Unstructured {
	spec := recipe(in)
	if in.TimeoutSeconds != nil {
		spec["timeoutSeconds"] = int64(*in.TimeoutSeconds)
	}
	return object("Image", in.Name, spec)
}

func buildObject(in model.CreateImageInput) *unstructured.Unstructured {
	spec := recipe(in)
	spec["account"], spec["number"] = "ada", int64(1)
	spec["image"] = map[string]any{"name": "app", "uid": "1"}
	spec["limits"] = map[string]any{"concurrentBuilds": int64(1), "timeoutSeconds": int64(60), "cpu": "1", "memory": "1Gi"}
	return object("Build", "app-1", spec)
}

func object(kind, name string, spec map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	o.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	o.SetNamespace(metav1.NamespaceDefault)
	o.SetName(name)
	return o
}

func anys(texts []string) []any {
	all := []any{}
	for _, text := range texts {
		all = append(all, text)
	}
	return all
}
