package resolvers_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/registry/registrytest"
)

// registryPassword is good at every registry of a test.
const registryPassword = "correct-horse-battery-staple"

// newRegistry is host:port of a registry that lets a login in with registryPassword.
func newRegistry(t *testing.T, auth registrytest.Auth, login string) string {
	t.Helper()
	server := httptest.NewServer(registrytest.New(registrytest.Options{Auth: auth, Username: login, Password: registryPassword}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func credentialInput(registry, login, password string) map[string]any {
	return map[string]any{"registry": registry, "username": login, "password": password}
}

type credential struct{ ID, Registry, Username string }

// credentials are the login's own, as it sees them.
func (h *house) credentials(login string) []credential {
	h.t.Helper()
	var data struct {
		Viewer struct{ RegistryCredentials []credential }
	}
	h.as(login).must(`{ viewer { registryCredentials { id registry username } } }`, nil, &data)
	return data.Viewer.RegistryCredentials
}

// TestRegistryCredentials sets a login, reads it in every way there is, and deletes it.
func TestRegistryCredentials(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	for _, auth := range []registrytest.Auth{registrytest.Basic, registrytest.Token} {
		registry := newRegistry(t, auth, ada)
		refused := h.as(ada).ask(setCredential, variables{"input": credentialInput(registry, ada, "wrong-battery")})
		if !cmp.Equal(refused.Codes, []string{string(fault.BadUserInput)}) {
			t.Errorf("%s: a wrong password: %+v, want BAD_USER_INPUT", auth, refused)
		}
		var set struct {
			SetRegistryCredential struct{ RegistryCredential credential }
		}
		h.as(ada).must(setCredential, variables{"input": credentialInput(registry, ada, registryPassword)}, &set)
		got := set.SetRegistryCredential.RegistryCredential
		if got.Registry != registry || got.Username != ada {
			t.Errorf("%s: set %+v", auth, got)
		}
		if diff := cmp.Diff([]credential{got}, h.credentials(ada)); diff != "" {
			t.Errorf("%s: the account's (-want +got):\n%s", auth, diff)
		}
		var read struct{ Node credential }
		h.as(ada).must(`query ($id: ID!) { node(id: $id) { id ... on RegistryCredential { registry username } } }`, variables{"id": got.ID}, &read)
		if diff := cmp.Diff(got, read.Node); diff != "" {
			t.Errorf("%s: by node (-want +got):\n%s", auth, diff)
		}
		h.as(ada).must(deleteCredential, variables{"input": map[string]any{"id": got.ID}}, nil)
		if left := h.credentials(ada); len(left) > 0 {
			t.Errorf("%s: %d left", auth, len(left))
		}
		gone := h.as(ada).ask(deleteCredential, variables{"input": map[string]any{"id": got.ID}})
		if !cmp.Equal(gone.Codes, []string{string(fault.NotFound)}) {
			t.Errorf("%s: deleted again: %+v, want NOT_FOUND", auth, gone)
		}
	}
	log := h.audit.String()
	for _, want := range []string{"what=setRegistryCredential", "what=deleteRegistryCredential"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log has no line with %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, "battery") {
		t.Errorf("the log tells a password:\n%s", log)
	}
}

// TestRegistryUnreachable: who cannot be asked is no wrong login.
func TestRegistryUnreachable(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	server := httptest.NewServer(nil)
	server.Close()
	got := h.as(ada).ask(setCredential, variables{"input": credentialInput(strings.TrimPrefix(server.URL, "http://"), ada, registryPassword)})
	if !cmp.Equal(got.Codes, []string{string(fault.Unavailable)}) {
		t.Errorf("%+v, want UNAVAILABLE", got)
	}
}

// TestAnotherAccountsCredential: an id of another account's tells nothing.
func TestAnotherAccountsCredential(t *testing.T) {
	h := newHouse(t)
	ada, mallory := h.signUp("ada"), h.signUp("mallory")
	registry := newRegistry(t, registrytest.Basic, ada)
	h.as(ada).must(setCredential, variables{"input": credentialInput(registry, ada, registryPassword)}, nil)
	before := h.credentials(ada)
	id := model.EncodeID(model.KindRegistryCredential, ada, registry)
	for query, vars := range map[string]variables{
		`query ($id: ID!) { node(id: $id) { id } }`: {"id": id},
		deleteCredential: {"input": map[string]any{"id": id}},
	} {
		if got := h.as(mallory).ask(query, vars); !cmp.Equal(got.Codes, []string{string(fault.NotFound)}) || !empty(got.Data) {
			t.Errorf("%s: %+v, want NOT_FOUND and no data", query, got)
		}
	}
	if len(h.credentials(mallory)) > 0 || !cmp.Equal(before, h.credentials(ada)) {
		t.Errorf("ada's %v, mallory's %v", h.credentials(ada), h.credentials(mallory))
	}
}
