package e2e

import (
	"errors"
	"fmt"
	"testing"

	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/e2e/stack"
	"drydock.dev/drydock/registry/registrytest"
)

// TestEveryday walks through what people do that no other test does, with the rights of the service accounts: builds are
// cancelled and retried, images and Builds deleted, logins replaced, the books compared.
func TestEveryday(t *testing.T) {
	g := gateway(t)
	controller(t)
	ada := signIn(t, g.URL, "ada")
	gate := newGate(t, "everyday")
	image := ada.createImage("hello", gate.Repository, gate.Argument)

	first := ada.startBuild(image)
	gate.await(t, 1)
	ada.do(`mutation($id: ID!) { cancelBuild(input: {id: $id}) { build { id } } }`, map[string]any{"id": first.ID}, nil)
	if ended := ada.finish(first); ended.Phase != "CANCELLED" {
		t.Errorf("cancelled: %v", ended)
	}
	var data struct{ RetryBuild struct{ Build build } }
	ada.do(`mutation($id: ID!) { retryBuild(input: {id: $id}) { build { `+buildFields+` } } }`, map[string]any{"id": first.ID}, &data)
	gate.await(t, 1)
	ada.do(`mutation($id: ID!) { deleteImage(input: {id: $id}) { deletedID } }`, map[string]any{"id": image}, nil)
	ada.deleteBuilds(2)

	registry := newPrivateRegistry(t, registrytest.Basic, ada.login, "swordfish")
	for range 2 { // the second one replaces the first
		ada.do(setCredential, credential(registry.host, ada.login, "swordfish"), nil)
	}

	books, err := stack.Run("reconcile", house.Binaries.Drydock, []string{"reconcile"}, house.ControllerEnvironment(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if code, err := books.Wait(within(t, patience)); err != nil || code == 1 {
		t.Errorf("the books could not be compared: exit code %d, %v:\n%s", code, err, books.Output())
	}
}

// deleteBuilds waits for the end of so many Builds, and deletes those that are there still, as `kubectl delete` does: they
// stay until their seconds are metered.
func (a *actor) deleteBuilds(count int) {
	a.t.Helper()
	c, ctx := kubernetes(a.t), within(a.t, patience)
	eventually(a.t, func() error {
		builds, err := a.builds(ctx)
		for _, b := range builds {
			if !b.done() {
				return errors.New(b.String())
			}
		}
		return err
	})
	left := a.customResources()
	if len(left) > count {
		a.t.Errorf("%d Builds, want %d", len(left), count)
	}
	for i := range left {
		if err := kube.IgnoreNotFound(c.Delete(ctx, &left[i])); err != nil {
			a.t.Error(err)
		}
	}
	eventually(a.t, func() error {
		if left := a.customResources(); len(left) > 0 {
			return fmt.Errorf("%d Builds are there still", len(left))
		}
		return nil
	})
}
