package resolvers_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/registry/registrytest"
)

// TestMutationsAreMadeOnce sends each mutation twice with one clientMutationID:
// the second time answers as the first did, and changes nothing.
func TestMutationsAreMadeOnce(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	kept := h.furnish(ada, "kept")
	image := model.EncodeID(model.KindImage, ada, "kept")
	twice := func(query string, input map[string]any) {
		t.Helper()
		input["clientMutationID"] = "once-" + t.Name()
		var first, second map[string]any
		h.as(ada).must(query, variables{"input": input}, &first)
		between := h.world(ada)
		h.as(ada).must(query, variables{"input": input}, &second)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%s\nanswers (-first +second):\n%s", query, diff)
		}
		for _, payload := range second {
			if payload.(map[string]any)["clientMutationID"] != input["clientMutationID"] {
				t.Errorf("%s: the payload does not hand the clientMutationID back: %v", query, payload)
			}
		}
		h.same(between, ada)
	}
	twice(createImage, imageInput("once"))
	twice(updateImage, map[string]any{"id": image, "timeoutSeconds": 60, "tags": []string{"a", "b"}})
	twice(startBuild, map[string]any{"image": image})
	twice(cancelBuild, map[string]any{"id": kept.build})
	h.finish(kept.build, model.BuildPhaseCancelled)
	twice(retryBuild, map[string]any{"id": kept.build})
	twice(revokeAccessTokens, map[string]any{})
	twice(checkout, map[string]any{"plan": model.EncodeID(model.KindPlan, "prod_drydock_team")})
	twice(setGit, map[string]any{"image": image, "token": registryPassword})
	twice(deleteGit, map[string]any{"image": image})
	registry := newRegistry(t, registrytest.Token, ada)
	twice(setCredential, credentialInput(registry, ada, registryPassword))
	twice(deleteCredential, map[string]any{"id": model.EncodeID(model.KindRegistryCredential, ada, registry)})
	twice(deleteImage, map[string]any{"id": model.EncodeID(model.KindImage, ada, "once")})
}

// TestUpdateImage: an absent field stays as it is, null clears it.
func TestUpdateImage(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	h.furnish(ada, "web")
	id := model.EncodeID(model.KindImage, ada, "web")
	type image struct {
		Suspended      bool
		TimeoutSeconds *int
		Tags           []string
	}
	sixty := 60
	cases := []struct {
		reason string
		change map[string]any
		want   image
	}{
		{"what is given changes", map[string]any{"timeoutSeconds": 60, "tags": []string{"v1"}}, image{TimeoutSeconds: &sixty, Tags: []string{"v1"}}},
		{"what is absent stays", map[string]any{"suspended": true}, image{Suspended: true, TimeoutSeconds: &sixty, Tags: []string{"v1"}}},
		{"null clears", map[string]any{"timeoutSeconds": nil, "tags": nil}, image{Suspended: true, Tags: []string{"latest"}}},
	}
	for _, c := range cases {
		c.change["id"] = id
		var data struct{ UpdateImage struct{ Image image } }
		h.as(ada).must(updateImage, variables{"input": c.change}, &data)
		if diff := cmp.Diff(c.want, data.UpdateImage.Image); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.reason, diff)
		}
	}
}

// TestPlanLimitsHold: the plan that the account has now says how many images.
func TestPlanLimitsHold(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	var data struct {
		Viewer struct {
			Plan struct{ Limits struct{ Images int } }
		}
	}
	h.as(ada).must(`{ viewer { plan { limits { images } } } }`, nil, &data)
	limit := data.Viewer.Plan.Limits.Images
	for i := range limit {
		h.as(ada).must(createImage, variables{"input": imageInput("image-" + string(rune('a'+i%26)) + string(rune('a'+i/26)))}, nil)
	}
	got := h.as(ada).ask(createImage, variables{"input": imageInput("one-too-many")})
	if !slices.Equal(got.Codes, []string{string(fault.LimitExceeded)}) {
		t.Errorf("image %d of %d: %+v, want LIMIT_EXCEEDED", limit+1, limit, got)
	}
}

// TestPayloadsShowTheWorldAfterTheChange, also the second one of a response: what
// was read for the first is read again.
func TestPayloadsShowTheWorldAfterTheChange(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	h.furnish(ada, "web")
	id := model.EncodeID(model.KindImage, ada, "web")
	type started struct {
		Build struct {
			ID    string
			Image struct{ LatestBuild struct{ ID string } }
		}
	}
	var data struct{ A, B started }
	h.as(ada).must(`mutation ($id: ID!) {
		a: startBuild(input: {image: $id}) { build { id image { latestBuild { id } } } }
		b: startBuild(input: {image: $id}) { build { id image { latestBuild { id } } } }
	}`, variables{"id": id}, &data)
	for _, s := range []started{data.A, data.B} {
		if s.Build.ID != s.Build.Image.LatestBuild.ID {
			t.Errorf("after the start of %s the latest build is %s", s.Build.ID, s.Build.Image.LatestBuild.ID)
		}
	}
}

// TestBuildOutlivesItsImage: a build of an image that is gone has none, also when
// another image has its name by now.
func TestBuildOutlivesItsImage(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	build := h.furnish(ada, "web").build
	h.finish(build, model.BuildPhaseSucceeded)
	image := model.EncodeID(model.KindImage, ada, "web")
	const read = `query ($id: ID!) { build(id: $id) { image { name } } }`
	var data struct {
		Build struct{ Image *struct{ Name string } }
	}
	h.as(ada).must(read, variables{"id": build}, &data)
	if data.Build.Image == nil || data.Build.Image.Name != "web" {
		t.Fatalf("before: %+v", data)
	}
	h.as(ada).must(deleteImage, variables{"input": map[string]any{"id": image}}, nil)
	steps := []struct {
		reason string
		step   func()
	}{
		{"the image is gone", func() {}},
		{"another one has its name", func() { h.as(ada).must(createImage, variables{"input": imageInput("web")}, nil) }},
	}
	for _, s := range steps {
		s.step()
		data.Build.Image = nil
		h.as(ada).must(read, variables{"id": build}, &data)
		if data.Build.Image != nil {
			t.Errorf("%s: the build's image is %+v, want null", s.reason, data.Build.Image)
		}
	}
}
