package cluster_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// customer is whom a login's namespace tells.
func (w *world) customer(t *testing.T, login string) string {
	t.Helper()
	var home corev1.Namespace
	must(t, w.Get(t.Context(), client.ObjectKey{Name: v1alpha1.Namespace(login)}, &home))
	return home.Annotations[v1alpha1.AnnotationCustomer]
}

// TestNamespacesTellTheirCustomer: from when they are made, or from the first write of an
// account whose namespace was made before they did.
func TestNamespacesTellTheirCustomer(t *testing.T) {
	w := newWorld(t)
	good := func(context.Context) error { return nil }
	for reason, write := range map[string]func(*cluster.Client, model.Owner) error{
		"an image": func(c *cluster.Client, owner model.Owner) error {
			_, err := c.CreateImage(t.Context(), owner, input("other"), 10)
			return err
		},
		"a registry credential": func(c *cluster.Client, owner model.Owner) error {
			_, err := c.SetRegistryCredential(t.Context(), owner, loginInput("registry.example.com", "ada", ""), good)
			return err
		},
		"a read": func(c *cluster.Client, owner model.Owner) error {
			if err := c.Owned(owner); err != nil {
				return err
			}
			eventually(t, "the namespace tells its customer", func() bool { return w.customer(t, owner.Login) != "" })
			return nil
		},
		"a build": func(c *cluster.Client, owner model.Owner) error {
			_, err := c.StartBuild(t.Context(), model.BuildStart{
				Image: model.Key{Login: owner.Login, Name: "app"}, CustomerID: owner.CustomerID, Trigger: model.BuildTriggerManual, Plan: plan(),
			})
			return err
		},
	} {
		t.Run(reason, func(t *testing.T) {
			c := w.connect(t, nil)
			old := model.Owner{Login: newLogin(), CustomerID: "cus_1"}
			create(t, c, old.Login, "app") // tells no customer
			must(t, write(c, old))
			if got := w.customer(t, old.Login); got != old.CustomerID {
				t.Errorf("a namespace from before tells %q, want %q", got, old.CustomerID)
			}
			if reason == "a build" || reason == "a read" {
				return
			}
			fresh := model.Owner{Login: newLogin(), CustomerID: "cus_2"}
			must(t, write(c, fresh))
			if got := w.customer(t, fresh.Login); got != fresh.CustomerID {
				t.Errorf("a new namespace tells %q, want %q", got, fresh.CustomerID)
			}
		})
	}
}

// TestTheNextOwnerInheritsNothing: what a login's former owner left is refused to the next
// one, until an administrator hands it over.
func TestTheNextOwnerInheritsNothing(t *testing.T) {
	w := newWorld(t)
	former, next := model.Owner{Login: newLogin(), CustomerID: "cus_1"}, model.Owner{CustomerID: "cus_2"}
	next.Login = former.Login
	before := w.connect(t, nil)
	_, err := before.CreateImage(t.Context(), former, input("app"), 10)
	must(t, err)
	started := model.BuildStart{Image: model.Key{Login: former.Login, Name: "app"}, CustomerID: former.CustomerID, Trigger: model.BuildTriggerManual, Plan: plan()}
	done, err := before.StartBuild(t.Context(), started)
	must(t, err)
	w.status(t, done.Key, ended(v1alpha1.PhaseFailed))
	var object v1alpha1.Build
	must(t, w.Get(t.Context(), client.ObjectKey{Namespace: v1alpha1.Namespace(former.Login), Name: done.Key.Name}, &object))
	if object.Spec.Customer != former.CustomerID {
		t.Errorf("the build is paid by %q, want %q", object.Spec.Customer, former.CustomerID)
	}

	for reason, c := range map[string]*cluster.Client{"the replica of before": before, "another replica": w.connect(t, nil)} {
		start := started
		start.CustomerID = next.CustomerID
		tried := map[string]error{"Owned": c.Owned(next)}
		_, tried["CreateImage"] = c.CreateImage(t.Context(), next, input("mine"), 10)
		_, tried["StartBuild"] = c.StartBuild(t.Context(), start)
		_, tried["RetryBuild"] = c.RetryBuild(t.Context(), done.Key, model.BuildStart{CustomerID: next.CustomerID, Plan: plan()})
		_, tried["SetRegistryCredential"] = c.SetRegistryCredential(t.Context(), next, loginInput("registry.example.com", "ada", ""), func(context.Context) error { return nil })
		for what, err := range tried {
			t.Run(reason+"/"+what, func(t *testing.T) { wantFault(t, err, fault.Conflict, "former owner", "annotate", next.CustomerID) })
		}
		must(t, c.Owned(former))
		must(t, c.Owned(model.Owner{Login: newLogin(), CustomerID: "cus_3"}))
	}
	if diff := cmp.Diff(former.CustomerID, w.customer(t, former.Login)); diff != "" {
		t.Error(diff)
	}

	var home corev1.Namespace
	must(t, w.Get(t.Context(), client.ObjectKey{Name: v1alpha1.Namespace(former.Login)}, &home))
	home.Annotations[v1alpha1.AnnotationCustomer] = next.CustomerID
	must(t, w.Update(t.Context(), &home))
	eventually(t, "it is handed over", func() bool { return before.Owned(next) == nil && before.Owned(former) != nil })
	_, err = before.CreateImage(t.Context(), next, input("mine"), 10)
	must(t, err)
	_, err = before.CreateImage(t.Context(), former, input("theirs"), 10)
	wantFault(t, err, fault.Conflict, "former owner")
}
