package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/e2e/stack"
)

// TestSecondVersion turns v1beta1 on, moves what is stored to it and back with the real
// program, and kills the controller that converts: people build all the while.
func TestSecondVersion(t *testing.T) {
	ownHouse(t)
	manifest, err := os.ReadFile(filepath.Join("..", "deploy", "components", "conversion", "conversion.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Apply(within(t, patience), house.Kubeconfig, manifest); err != nil {
		t.Fatal(err)
	}
	address, standby := free(t), free(t)
	turnOn(t, address)
	first := converter(t, address)
	second := converter(t, standby)
	ada := signIn(t, gateway(t).URL, "ada")
	repository, err := house.Repository(within(t, patience), "second-version", fstest.MapFS{"Dockerfile": {Data: []byte("FROM scratch\nCOPY Dockerfile /\n")}})
	if err != nil {
		t.Fatal(err)
	}
	image := ada.createImage("hello", repository, map[string]any{"key": "Z", "value": "1"}, map[string]any{"key": "A", "value": "2"})
	ada.checkBuilt(ada.startBuild(image))
	output := map[string]any{"repository": house.Registry + "/" + ada.login + "/hello", "tags": []any{"latest", "b{{.Number}}"}}
	for _, kind := range []string{"Image", "Build"} {
		for _, object := range ada.asBeta(kind) {
			got := map[string]any{"output": object["output"], "args": object["args"]}
			if diff := cmp.Diff(map[string]any{"output": output, "args": map[string]any{"A": "2", "Z": "1"}}, got); diff != "" {
				t.Errorf("the %s as v1beta1 (-want +got):\n%s", kind, diff)
			}
		}
	}
	before := ada.specs()
	migrate(t, "v1beta1")
	ada.checkBuilt(ada.startBuild(image))
	first.Kill()
	call(t, standby) // as the Service does
	ada.checkBuilt(ada.startBuild(image))
	second.Kill()
	converter(t, standby) // alone, it is ready only once it has converted what it waits for itself
	migrate(t, "v1alpha1")
	if diff := cmp.Diff(before, ada.specs()[:1]); diff != "" {
		t.Errorf("the first build's spec after the way there and back (-want +got):\n%s", diff)
	}
	if got := len(ada.specs()); got != 3 {
		t.Errorf("%d builds are there, want 3", got)
	}
}

// ownHouse gives a test a stack that no other test has.
func ownHouse(t *testing.T) {
	t.Helper()
	own, err := stack.Start(within(t, patience), stack.Options{Binaries: house.Binaries, Dir: t.TempDir(), Log: io.Discard})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := own.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	shared := house
	t.Cleanup(func() { house = shared })
	house = own
}

// converter starts a controller that converts at the address.
func converter(t *testing.T, address string) *stack.Process {
	t.Helper()
	process, err := house.Controller(within(t, patience), "--conversion-listen", address)
	if err != nil {
		t.Fatal(err)
	}
	return process
}

// free is an address on loopback that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	address, err := stack.FreeAddress(within(t, patience))
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// turnOn does to the definitions what deploy/components/conversion does, with an address in
// place of the Service, which has no network here.
func turnOn(t *testing.T, address string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "deploy", "components", "conversion", "definitions.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var operations []map[string]any
	if err := yaml.Unmarshal(text, &operations); err != nil {
		t.Fatal(err)
	}
	patchDefinitions(t, append(operations,
		map[string]any{"op": "remove", "path": "/spec/conversion/webhook/clientConfig/service"},
		map[string]any{"op": "add", "path": "/spec/conversion/webhook/clientConfig/url", "value": "https://" + address + "/convert"})...)
}

// call has the API server call another controller from now on.
func call(t *testing.T, address string) {
	t.Helper()
	patchDefinitions(t, map[string]any{"op": "replace", "path": "/spec/conversion/webhook/clientConfig/url", "value": "https://" + address + "/convert"})
}

func patchDefinitions(t *testing.T, operations ...map[string]any) {
	t.Helper()
	patch, err := json.Marshal(operations)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"images.drydock.dev", "builds.drydock.dev"} {
		if err := kubernetes(t).Patch(within(t, patience), definition(name), kube.RawPatch(types.JSONPatchType, patch)); err != nil {
			t.Fatal(err)
		}
	}
}

func definition(name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	object.SetName(name)
	return object
}

// migrate moves what is stored to a version, with the program that operators run.
func migrate(t *testing.T, version string) {
	t.Helper()
	patchDefinitions(t,
		map[string]any{"op": "replace", "path": "/spec/versions/0/storage", "value": version == "v1alpha1"},
		map[string]any{"op": "replace", "path": "/spec/versions/1/storage", "value": version == "v1beta1"})
	process, err := stack.Run("migrate-storage", house.Binaries.Controller, []string{"migrate-storage", "--settle", "1s"}, []string{"KUBECONFIG=" + house.Kubeconfig}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if code, err := process.Wait(within(t, patience)); err != nil || code != 0 {
		t.Fatalf("migrate-storage ended with %d, %v:\n%s", code, err, process.Output())
	}
	for _, name := range []string{"images.drydock.dev", "builds.drydock.dev"} {
		object := definition(name)
		if err := kubernetes(t).Get(within(t, patience), kube.ObjectKeyFromObject(object), object); err != nil {
			t.Fatal(err)
		}
		stored, _, err := unstructured.NestedStringSlice(object.Object, "status", "storedVersions")
		if err != nil || !slices.Equal(stored, []string{version}) {
			t.Errorf("%s stores %v, want %s alone (%v)", name, stored, version, err)
		}
	}
}

// checkBuilt waits until a build succeeded and was metered.
func (a *actor) checkBuilt(started build) {
	a.t.Helper()
	eventually(a.t, func() error {
		builds, err := a.builds(a.t.Context())
		if err != nil {
			return err
		}
		i := slices.IndexFunc(builds, func(b build) bool { return b.ID == started.ID })
		if i < 0 {
			return fmt.Errorf("build %d is not there", started.Number)
		}
		if b := builds[i]; b.done() && b.Phase != "SUCCEEDED" {
			a.t.Fatalf("%v", b)
		} else if b.BilledSeconds == nil {
			return fmt.Errorf("%v and not metered", b)
		}
		return nil
	})
}

// asBeta are the specs of the actor's objects of a kind as v1beta1 says them, once the API
// server has heard how to convert.
func (a *actor) asBeta(kind string) (specs []map[string]any) {
	a.t.Helper()
	eventually(a.t, func() error {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: "drydock.dev", Version: "v1beta1", Kind: kind + "List"})
		if err := kubernetes(a.t).List(a.t.Context(), list, kube.InNamespace(v1alpha1.Namespace(a.login))); err != nil {
			return err
		}
		specs = nil
		for _, object := range list.Items {
			spec, _, err := unstructured.NestedMap(object.Object, "spec")
			if err != nil {
				return err
			}
			specs = append(specs, spec)
		}
		return nil
	})
	if len(specs) != 1 {
		a.t.Errorf("%d objects of kind %s are there as v1beta1, want 1", len(specs), kind)
	}
	return specs
}

// specs are those of the actor's builds as v1alpha1, by number.
func (a *actor) specs() []v1alpha1.BuildSpec {
	a.t.Helper()
	var specs []v1alpha1.BuildSpec
	for _, b := range a.customResources() {
		specs = append(specs, b.Spec)
	}
	slices.SortFunc(specs, func(a, b v1alpha1.BuildSpec) int { return int(a.Number - b.Number) })
	return specs
}
