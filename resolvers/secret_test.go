package resolvers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestBuildSecrets sets a secret, reads what may be read of it, and deletes it.
func TestBuildSecrets(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	image := model.EncodeID(model.KindImage, ada, h.furnish(ada, "app").image)
	in := func(key, value string) variables {
		return variables{"input": map[string]any{"image": image, "key": key, "value": value}}
	}
	keys := func() []string {
		t.Helper()
		var data struct {
			Node struct{ BuildSecrets []struct{ Key string } }
		}
		h.as(ada).must(`query ($id: ID!) { node(id: $id) { ... on Image { buildSecrets { key createdAt } } } }`, variables{"id": image}, &data)
		var keys []string
		for _, one := range data.Node.BuildSecrets {
			keys = append(keys, one.Key)
		}
		return keys
	}
	h.as(ada).must(setSecret, in("npm", registryPassword), nil)
	h.as(ada).must(setSecret, in("pip", registryPassword), nil)
	if got := keys(); !cmp.Equal(got, []string{"npm", "pip"}) {
		t.Errorf("the image's secrets are %v", got)
	}
	for reason, refused := range map[string]variables{
		"a key that is a path": in("../npm", registryPassword),
		"no value":             in("npm", ""),
	} {
		if got := h.as(ada).ask(setSecret, refused); !cmp.Equal(got.Codes, []string{string(fault.BadUserInput)}) {
			t.Errorf("%s: %+v, want BAD_USER_INPUT", reason, got)
		}
	}
	gone := variables{"input": map[string]any{"image": image, "key": "npm"}}
	h.as(ada).must(deleteSecret, gone, nil)
	if got := h.as(ada).ask(deleteSecret, gone); !cmp.Equal(got.Codes, []string{string(fault.NotFound)}) {
		t.Errorf("deleted again: %+v, want NOT_FOUND", got)
	}
	if got := keys(); !cmp.Equal(got, []string{"pip"}) {
		t.Errorf("after the deletion the image's secrets are %v", got)
	}
	log := h.audit.String()
	for _, want := range []string{"what=setBuildSecret", "what=deleteBuildSecret", "key=npm"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log has no line with %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, "battery") {
		t.Errorf("the log tells a value:\n%s", log)
	}
}
