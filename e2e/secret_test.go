package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-containerregistry/pkg/crane"
	corev1 "k8s.io/api/core/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

const setSecret = `mutation($in: SetBuildSecretInput!) { setBuildSecret(input: $in) { image { buildSecrets { key } } } }`

// TestBuildSecrets: a command of a build that mounts a secret reads it, a command that
// does not has none, and nobody else finds it: not in the image, not in the log, not in
// the process list, in no object, file or output.
func TestBuildSecrets(t *testing.T) {
	g, c := gateway(t), controller(t)
	ada := signIn(t, g.URL, "ada")
	secret := "swordfish-in-a-file-of-" + ada.login
	repository, err := house.Repository(within(t, patience), fmt.Sprintf("secret-%d", repositories.Add(1)), fstest.MapFS{
		"show": {Data: compile(t, show), Mode: 0o755},
		"Dockerfile": {Data: []byte("FROM scratch\nCOPY show /show\n" +
			`RUN --mount=type=secret,id=npm.token ["/show", "/run/secrets/npm.token"]` + "\n" +
			`RUN ["/show", "/run/secrets/npm.token"]` + "\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	image := ada.createImage("hello", repository)
	looking := lookFor(t, secret, ada.login)
	ada.do(setSecret, map[string]any{"in": map[string]any{"image": image, "key": "npm.token", "value": secret}}, nil)
	built := ada.finish(ada.startBuild(image))
	if built.Phase != "SUCCEEDED" {
		t.Fatalf("%v\n%s", built, ada.log(built))
	}
	if log := ada.log(built); strings.Count(log, "***") != 1 || strings.Count(log, "no such file") != 1 {
		t.Errorf("the first command is to print the secret, the second is to find none:\n%s", log)
	}
	checkImage(t, house.Registry+"/"+ada.login+"/hello:latest", secret)
	if looking.done(); !looking.saw {
		t.Error("the process list was not looked at while the build ran")
	}
	ada.checkNotTold(looking, g.Output(), c.Output())

	ada.do(`mutation($in: DeleteBuildSecretInput!) { deleteBuildSecret(input: $in) { image { id } } }`,
		map[string]any{"in": map[string]any{"image": image, "key": "npm.token"}}, nil)
	if left := ada.secrets(); left != 0 {
		t.Errorf("%d Secrets are left of one that was deleted", left)
	}
	ada.do(setSecret, map[string]any{"in": map[string]any{"image": image, "key": "npm.token", "value": secret}}, nil)
	ada.do(`mutation($id: ID!) { deleteImage(input: {id: $id}) { deletedID } }`, map[string]any{"id": image}, nil)
	eventually(t, func() error {
		if left := ada.secrets(); left != 0 {
			return fmt.Errorf("%d Secrets outlive their image", left)
		}
		return nil
	})
}

// show prints a file: the image has no shell.
const show = `package main

import (
	"fmt"
	"os"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	fmt.Println(string(text), err)
}
`

// log is what a build printed.
func (a *actor) log(b build) string {
	a.t.Helper()
	var data struct {
		Build struct {
			Log struct{ Lines []struct{ Text string } }
		}
	}
	a.do(`query($id: ID!) { build(id: $id) { log(first: 10000) { lines { text } } } }`, map[string]any{"id": b.ID}, &data)
	var text strings.Builder
	for _, line := range data.Build.Log.Lines {
		_, _ = fmt.Fprintln(&text, line.Text)
	}
	return text.String()
}

// secrets is how many Secrets there are in the account's namespace.
func (a *actor) secrets() int {
	a.t.Helper()
	var list corev1.SecretList
	if err := kubernetes(a.t).List(within(a.t, patience), &list, kube.InNamespace(v1alpha1.Namespace(a.login))); err != nil {
		a.t.Fatal(err)
	}
	return len(list.Items)
}

// checkImage looks for a secret in an image's configuration, with its history, and layers.
func checkImage(t *testing.T, reference, secret string) {
	t.Helper()
	image, err := crane.Pull(reference, crane.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.RawConfigFile()
	layers, err2 := image.Layers()
	if err := errors.Join(err, err2); err != nil || len(layers) == 0 || !bytes.Contains(config, []byte("/show")) {
		t.Fatalf("%d layers, %s, %v", len(layers), config, err)
	}
	if bytes.Contains(config, []byte(secret)) {
		t.Errorf("the image's configuration tells the secret: %s", config)
	}
	for i, layer := range layers {
		files, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(files)
		if err := errors.Join(err, files.Close()); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("layer %d holds the secret", i)
		}
	}
}
