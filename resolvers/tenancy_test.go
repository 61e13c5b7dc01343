package resolvers_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// foreign is what another account has, and the caller should never see.
type foreign struct {
	login    string
	image    string
	build    string
	registry string
}

// ids are the foreign global ids, one of each kind.
func (f foreign) ids() []string {
	return []string{
		model.EncodeID(model.KindAccount, f.login),
		model.EncodeID(model.KindImage, f.login, f.image),
		f.build,
		model.EncodeID(model.KindRegistryCredential, f.login, f.registry),
	}
}

// furnish gives a login an image and a build of it.
func (h *house) furnish(login, image string) foreign {
	h.t.Helper()
	var made struct {
		CreateImage struct{ Image struct{ ID string } }
	}
	h.as(login).must(createImage, variables{"input": imageInput(image)}, &made)
	var started struct {
		StartBuild struct{ Build struct{ ID string } }
	}
	h.as(login).must(startBuild, variables{"input": map[string]any{"image": made.CreateImage.Image.ID}}, &started)
	return foreign{login: login, image: image, build: started.StartBuild.Build.ID, registry: "registry.example.com"}
}

// TestAnotherAccountsThingsAreNotFound walks the schema: wherever a root field
// takes an id, another account's id of every kind is tried. A new field is tried
// without being listed anywhere; a new argument that needs a legal value fails the
// test until samples has one.
func TestAnotherAccountsThingsAreNotFound(t *testing.T) {
	h := newHouse(t)
	ada, mallory := h.signUp("ada"), h.signUp("mallory")
	secret := h.furnish(ada, "secret")
	before := h.world(ada)
	for _, field := range rootFields(h.schema.Schema()) {
		for _, at := range places(h.schema.Schema(), field.Arguments) {
			if !at.isID() {
				continue
			}
			var codes []string
			for _, id := range secret.ids() {
				query, vars, err := field.operationWith(withIDs(field, secret, at.path, id))
				if err != nil {
					t.Error(err)
					continue
				}
				got := h.as(mallory).ask(query, vars)
				if len(got.Codes) == 0 || !empty(got.Data) {
					t.Errorf("%s(%s:) with another account's id: %+v, want an error and no data", field, at.path, got)
				}
				codes = append(codes, got.Codes...)
			}
			if !nobodys[at.path] && !slices.Contains(codes, string(fault.NotFound)) || slices.ContainsFunc(codes, notTelling) {
				t.Errorf("%s(%s:) with another account's ids: %v, want NOT_FOUND, and BAD_USER_INPUT for ids of another kind", field, at.path, codes)
			}
		}
	}
	if diff := cmp.Diff(before, h.world(ada)); diff != "" {
		t.Errorf("another account's things changed (-before +after):\n%s", diff)
	}
}

// nobodys are the places of ids that are of no account's things.
var nobodys = map[string]bool{"input.plan": true}

// withIDs puts id at one path; the field's other required ids are foreign too.
func withIDs(field rootField, secret foreign, path, id string) map[string]any {
	values := map[string]any{path: id}
	for _, other := range places(field.schema, field.Arguments) {
		if other.isID() && other.kind.NonNull && other.path != path {
			values[other.path] = secret.build
		}
	}
	return values
}

// notTelling is a code that should not come of another account's id.
func notTelling(code string) bool {
	return code != string(fault.NotFound) && code != string(fault.BadUserInput)
}

// empty tells whether data holds nothing but nulls.
func empty(data any) bool {
	switch data := data.(type) {
	case nil:
		return true
	case map[string]any:
		for _, value := range data {
			if !empty(value) {
				return false
			}
		}
		return true
	case []any:
		return !slices.ContainsFunc(data, func(value any) bool { return !empty(value) })
	default:
		return false
	}
}

// TestAnotherAccountsNames is the walk for names: each place that takes one says
// here what another account's name gives there.
func TestAnotherAccountsNames(t *testing.T) {
	h := newHouse(t)
	ada, mallory := h.signUp("ada"), h.signUp("mallory")
	secret := h.furnish(ada, "secret")
	before := h.world(ada)
	cases := map[string]struct {
		reason string
		value  string
		code   fault.Kind
	}{
		"query.image(name)":                      {"names are the viewer's own", secret.image, fault.NotFound},
		"query.account(login)":                   {"other accounts are for administrators", ada, fault.Forbidden},
		"mutation.createImage(input.name)":       {"a name may be in use in each account", secret.image, ""},
		"mutation.createAccessToken(input.name)": {"a token's name names nothing", secret.image, ""},
	}
	for _, field := range rootFields(h.schema.Schema()) {
		for _, at := range places(h.schema.Schema(), field.Arguments) {
			if at.isID() {
				continue
			}
			name := field.String() + "(" + at.path + ")"
			c, covered := cases[name]
			if !covered {
				t.Errorf("%s takes a name: say here what another account's name gives", name)
				continue
			}
			delete(cases, name)
			query, vars, err := field.operationWith(withIDs(field, secret, at.path, c.value))
			if err != nil {
				t.Error(err)
				continue
			}
			got := h.as(mallory).ask(query, vars)
			if c.code == "" && len(got.Codes) > 0 || c.code != "" && (!slices.Equal(got.Codes, []string{string(c.code)}) || !empty(got.Data)) {
				t.Errorf("%s: %s: %+v, want %q", name, c.reason, got, c.code)
			}
		}
	}
	for name := range cases {
		t.Errorf("%s is no place of the schema: take it out", name)
	}
	if diff := cmp.Diff(before, h.world(ada)); diff != "" {
		t.Errorf("another account's things changed (-before +after):\n%s", diff)
	}
}

// TestIDsEnterAtTheRootsAlone holds what the walks rely on: below a root nothing
// takes an id or a name.
func TestIDsEnterAtTheRootsAlone(t *testing.T) {
	schema := newSchema(t)
	for _, definition := range schema.Types {
		if definition.BuiltIn || definition == schema.Query || definition == schema.Mutation || definition == schema.Subscription {
			continue
		}
		if definition.Kind != ast.Object && definition.Kind != ast.Interface {
			continue
		}
		for _, field := range definition.Fields {
			for _, at := range places(schema, field.Arguments) {
				t.Errorf("%s.%s(%s:) takes an id or a name below a root: check whose it is, and let the walks cover it", definition.Name, field.Name, at.path)
			}
		}
	}
}

// TestAnotherListsCursors: a cursor is a place in a list, not a key to it.
func TestAnotherListsCursors(t *testing.T) {
	h := newHouse(t)
	ada, mallory := h.signUp("ada"), h.signUp("mallory")
	h.furnish(ada, "alpha")
	h.furnish(ada, "beta")
	h.furnish(mallory, "zeta")
	const list = `query ($images: String, $builds: String) { viewer {
		images(first: 1, after: $images) { edges { node { owner { login } } } pageInfo { endCursor } }
		builds(first: 1, after: $builds) { edges { node { image { owner { login } } } } pageInfo { endCursor } }
	} }`
	type page[T any] struct {
		Edges    []struct{ Node T }
		PageInfo struct{ EndCursor string }
	}
	type image struct{ Owner struct{ Login string } }
	type lists struct {
		Viewer struct {
			Images page[image]
			Builds page[struct{ Image image }]
		}
	}
	var hers, mine lists
	h.as(ada).must(list, nil, &hers)
	got := h.as(mallory).ask(list, variables{"images": hers.Viewer.Images.PageInfo.EndCursor, "builds": hers.Viewer.Builds.PageInfo.EndCursor})
	into(t, got.Data, &mine)
	for _, edge := range mine.Viewer.Images.Edges {
		if edge.Node.Owner.Login != mallory {
			t.Errorf("images behind another account's cursor: %s's", edge.Node.Owner.Login)
		}
	}
	for _, edge := range mine.Viewer.Builds.Edges {
		if edge.Node.Image.Owner.Login != mallory {
			t.Errorf("builds behind another account's cursor: %s's", edge.Node.Image.Owner.Login)
		}
	}
}

// TestSignedOut walks the schema without a session.
func TestSignedOut(t *testing.T) {
	h := newHouse(t)
	secret := h.furnish(h.signUp("ada"), "secret")
	public := map[string]string{
		"query.viewer": "null when signed out",
		"query.plans":  "the product tiers are for everybody",
	}
	for _, field := range rootFields(h.schema.Schema()) {
		values := map[string]any{}
		for _, at := range places(h.schema.Schema(), field.Arguments) {
			if at.isID() {
				values[at.path] = secret.build
			}
		}
		query, vars, err := field.operationWith(values)
		if err != nil {
			t.Error(err)
			continue
		}
		got := h.as("").ask(query, vars)
		if reason, open := public[field.String()]; open {
			if len(got.Codes) > 0 {
				t.Errorf("%s: %s: %+v", field, reason, got)
			}
			continue
		}
		if !slices.Equal(got.Codes, []string{string(fault.Unauthenticated)}) || !empty(got.Data) {
			t.Errorf("%s signed out: %+v, want UNAUTHENTICATED and no data", field, got)
		}
	}
	if got := h.as("").ask(`{ viewer { login } }`, nil); !empty(got.Data) {
		t.Errorf("viewer signed out: %+v, want null", got)
	}
}
