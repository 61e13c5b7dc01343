package resolvers_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestBadInput: what is not legal is told with words, and does nothing.
func TestBadInput(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	own := h.furnish(ada, "web")
	image := model.EncodeID(model.KindImage, ada, "web")
	const (
		node    = `query ($id: ID!) { node(id: $id) { id } }`
		nodes   = `query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`
		build   = `query ($id: ID!) { build(id: $id) { id } }`
		images  = `query ($first: Int!, $after: String) { viewer { images(first: $first, after: $after) { totalCount } } }`
		builds  = `query ($first: Int!, $after: String) { viewer { builds(first: $first, after: $after) { totalCount } } }`
		ofImage = `query ($first: Int!, $after: String) { image(name: "web") { builds(first: $first, after: $after) { totalCount } } }`
		log     = `query ($id: ID!, $after: Int!, $first: Int!) { build(id: $id) { log(after: $after, first: $first) { endCursor } } }`
		follow  = `subscription ($id: ID!, $after: Int!) { buildLog(id: $id, after: $after) { number } }`
		changed = `subscription ($id: ID, $image: ID) { buildChanged(id: $id, image: $image) { id } }`
	)
	long := strings.Repeat("m", 129)
	cases := []struct {
		reason string
		query  string
		vars   variables
	}{
		{"an id is what an id field gave", node, variables{"id": "42"}},
		{"an empty id is none", node, variables{"id": ""}},
		{"an id of a kind that there is not", node, variables{"id": model.EncodeID("Ship", "ada")}},
		{"an account's id has one part", node, variables{"id": model.EncodeID(model.KindAccount, "ada", "x")}},
		{"an image's id has two parts", node, variables{"id": model.EncodeID(model.KindImage, "ada")}},
		{"base64 of anything is no id", node, variables{"id": "AAAA"}},
		{"101 ids are more than nodes takes", nodes, variables{"ids": slices.Repeat([]string{image}, 101)}},
		{"an image's id is no build's", build, variables{"id": image}},
		{"no items are no page", images, variables{"first": 0}},
		{"a page ends at 100 items", images, variables{"first": 101}},
		{"pages run forwards", builds, variables{"first": -1}},
		{"a page of an image's builds ends at 100 items, too", ofImage, variables{"first": 1000}},
		{"a cursor is what a list gave", images, variables{"first": 1, "after": "behind the last one"}},
		{"a cursor is of its own list", builds, variables{"first": 1, "after": model.EncodeCursor("images", "x")}},
		{"a log has no negative lines", log, variables{"id": own.build, "after": -1, "first": 1}},
		{"no log has more lines than an Int counts", log, variables{"id": own.build, "after": math.MaxInt64, "first": 1}},
		{"also where it is followed", follow, variables{"id": own.build, "after": math.MaxInt64}},
		{"10001 lines are more than come at a time", log, variables{"id": own.build, "after": 0, "first": 10001}},
		{"no lines are no piece of a log", log, variables{"id": own.build, "after": 0, "first": 0}},
		{"a log is followed from a line's number", follow, variables{"id": own.build, "after": -1}},
		{"a subscription takes ids alike", changed, variables{"id": "42"}},
		{"an image is not named by a build's id", changed, variables{"image": own.build}},
		{"a clientMutationID has an end", startBuild, variables{"input": map[string]any{"image": image, "clientMutationID": long}}},
		{"also where something is deleted", deleteImage, variables{"input": map[string]any{"id": image, "clientMutationID": long}}},
		{"a name is a DNS label", createImage, variables{"input": imageInput("Not A Label")}},
		{"an image is not started by a build's id", startBuild, variables{"input": map[string]any{"image": own.build}}},
		{"a build is not cancelled by an image's id", cancelBuild, variables{"input": map[string]any{"id": image}}},
		{"a plan is not named by an image's id", checkout, variables{"input": map[string]any{"plan": image}}},
		{"a plan that is not on offer", checkout, variables{"input": map[string]any{"plan": model.EncodeID(model.KindPlan, "prod_none")}}},
		{"the free plan is not bought", checkout, variables{"input": map[string]any{"plan": model.EncodeID(model.KindPlan, "prod_drydock_free")}}},
		{"a clientMutationID has an end there too", portal, variables{"input": map[string]any{"clientMutationID": long}}},
		{"a timeout has a least", updateImage, variables{"input": map[string]any{"id": image, "timeoutSeconds": 1}}},
	}
	before := h.world(ada)
	for _, c := range cases {
		got := h.as(ada).ask(c.query, c.vars)
		if !slices.Equal(got.Codes, []string{string(fault.BadUserInput)}) {
			t.Errorf("%s: %v %v, want BAD_USER_INPUT", c.reason, got.Codes, got.Words)
			continue
		}
		if words := got.Words[0]; len(words) < 20 || words == fault.PublicOf(&fault.Error{Kind: fault.BadUserInput}) {
			t.Errorf("%s: %q does not say what to do", c.reason, words)
		}
	}
	h.same(before, ada)
}

// TestNodesFailAlone: each id that names nothing to see is null beside the others.
func TestNodesFailAlone(t *testing.T) {
	h := newHouse(t)
	ada, mallory := h.signUp("ada"), h.signUp("mallory")
	own, others := h.furnish(ada, "web"), h.furnish(mallory, "web")
	ids := []string{own.build, others.build, model.EncodeID(model.KindAccount, ada), "42", model.EncodeID(model.KindImage, ada, "web"), model.EncodeID(model.KindPlan, "prod_none")}
	got := h.as(ada).ask(`query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }`, variables{"ids": ids})
	var data struct {
		Nodes []*struct {
			ID       string
			Typename string `json:"__typename"`
		}
	}
	into(t, got.Data, &data)
	want := map[int]string{0: "Build", 2: "Account", 4: "Image"}
	for i, node := range data.Nodes {
		switch {
		case want[i] == "" && node != nil:
			t.Errorf("node %d is %+v, want null", i, node)
		case want[i] != "" && (node == nil || node.Typename != want[i] || node.ID != ids[i]):
			t.Errorf("node %d is %+v, want %s %s", i, node, want[i], ids[i])
		}
	}
	if want := []string{"NOT_FOUND", "BAD_USER_INPUT", "NOT_FOUND"}; !slices.Equal(got.Codes, want) || len(data.Nodes) != len(ids) {
		t.Errorf("%d nodes, codes %v, want %d and %v", len(data.Nodes), got.Codes, len(ids), want)
	}
}
