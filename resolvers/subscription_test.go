package resolvers_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestBuildChanged tells the present state at once, then every change, of what was
// asked for alone.
func TestBuildChanged(t *testing.T) {
	h := newHouse(t)
	ada, bob := h.signUp("ada"), h.signUp("bob")
	one, two := h.furnish(ada, "one"), h.furnish(ada, "two")
	h.furnish(bob, "one")
	const changed = `subscription ($id: ID, $image: ID) { buildChanged(id: $id, image: $image) { id phase } }`
	image := model.EncodeID(model.KindImage, ada, "one")
	cases := []struct {
		reason string
		vars   variables
		builds []string
	}{
		{"one build", variables{"id": one.build}, []string{one.build}},
		{"one image's builds", variables{"image": image}, []string{one.build}},
		{"a build of an image", variables{"id": one.build, "image": image}, []string{one.build}},
		{"all of the viewer's", nil, []string{one.build, two.build}},
	}
	phase := func(got answer) (id, phase string) {
		var data struct{ BuildChanged struct{ ID, Phase string } }
		into(t, got.Data, &data)
		return data.BuildChanged.ID, data.BuildChanged.Phase
	}
	streams := make([]<-chan answer, len(cases))
	for i, c := range cases {
		streams[i] = h.as(ada).follow(changed, c.vars)
		left := slices.Clone(c.builds)
		for len(left) > 0 {
			got := await(t, streams[i], c.reason+": the present state", func(answer) bool { return true })
			id, now := phase(got)
			if now != "QUEUED" || !slices.Contains(left, id) {
				t.Fatalf("%s: %+v, want QUEUED of %v", c.reason, got, left)
			}
			left = slices.DeleteFunc(left, func(l string) bool { return l == id })
		}
	}
	h.finish(one.build, model.BuildPhaseSucceeded)
	for i, c := range cases {
		await(t, streams[i], c.reason+": the change", func(got answer) bool {
			id, now := phase(got)
			return id == one.build && now == "SUCCEEDED"
		})
	}
	none := []struct {
		reason string
		vars   variables
	}{
		{"a build that is not of the image", variables{"id": two.build, "image": image}},
		{"a build that is not", variables{"id": model.EncodeID(model.KindBuild, ada, "none")}},
		{"an image that is not", variables{"image": model.EncodeID(model.KindImage, ada, "none")}},
	}
	for _, c := range none {
		if got := h.as(ada).ask(changed, c.vars); !slices.Equal(got.Codes, []string{string(fault.NotFound)}) {
			t.Errorf("%s: %+v, want NOT_FOUND", c.reason, got)
		}
	}
}

// TestImageChanged tells the present state at once, then every change.
func TestImageChanged(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	h.furnish(ada, "web")
	id := model.EncodeID(model.KindImage, ada, "web")
	suspended := func(want bool) func(answer) bool {
		return func(got answer) bool {
			var data struct {
				ImageChanged struct {
					Suspended bool
					Owner     struct{ Login string }
				}
			}
			into(t, got.Data, &data)
			return data.ImageChanged.Suspended == want && data.ImageChanged.Owner.Login == ada
		}
	}
	images := h.as(ada).follow(`subscription ($id: ID!) { imageChanged(id: $id) { suspended owner { login } } }`, variables{"id": id})
	await(t, images, "the present state", suspended(false))
	h.as(ada).must(updateImage, variables{"input": map[string]any{"id": id, "suspended": true}}, nil)
	await(t, images, "the change", suspended(true))
}

// TestViewerChanged tells the account at once, and again with fresh usage when a
// build was billed.
func TestViewerChanged(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	build := h.furnish(ada, "web").build
	usage := func(seconds int) func(answer) bool {
		return func(got answer) bool {
			var data struct {
				ViewerChanged struct {
					Login string
					Usage struct{ BuildSeconds int }
				}
			}
			into(t, got.Data, &data)
			return data.ViewerChanged.Login == ada && data.ViewerChanged.Usage.BuildSeconds == seconds
		}
	}
	accounts := h.as(ada).follow(`subscription { viewerChanged { login usage { buildSeconds } } }`, nil)
	await(t, accounts, "the present state", usage(0))
	h.finish(build, model.BuildPhaseSucceeded)
	h.afresh().bill(ada, build, 75) // another process: this one's caches know nothing of it
	await(t, accounts, "the billed build", usage(75))
}

// TestSubscribersLeave nothing behind when the client goes.
func TestSubscribersLeave(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	build := h.furnish(ada, "web").build
	ctx, leave := context.WithCancel(t.Context())
	image := model.EncodeID(model.KindImage, ada, "web")
	subscriptions := []struct {
		query string
		vars  variables
	}{
		{`subscription { viewerChanged { login } }`, nil},
		{`subscription { buildChanged { id } }`, nil},
		{`subscription ($id: ID!) { imageChanged(id: $id) { id } }`, variables{"id": image}},
		{`subscription ($id: ID!) { buildLog(id: $id) { number } }`, variables{"id": build}},
	}
	var left sync.WaitGroup
	for _, s := range subscriptions {
		next := h.as(ada).stream(ctx, s.query, s.vars)
		left.Go(func() {
			for response := next(ctx); response != nil; response = next(ctx) {
				if len(response.Errors) > 0 {
					t.Errorf("%s: %v", s.query, response.Errors)
				}
			}
		})
	}
	h.until("every subscriber is there", func() bool { return h.subscribers() >= len(subscriptions)-1 })
	leave()
	left.Wait()
	h.until("every subscriber is gone", func() bool { return h.subscribers() == 0 })
}

// TestBuildLog of a build that ended without a word is complete, and following it
// ends.
func TestBuildLog(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	build := h.furnish(ada, "web").build
	h.finish(build, model.BuildPhaseCancelled)
	var data struct {
		Build struct {
			Log struct {
				Lines     []any
				EndCursor int
				Complete  bool
			}
		}
	}
	h.as(ada).must(`query ($id: ID!) { build(id: $id) { log { lines { text } endCursor complete } } }`, variables{"id": build}, &data)
	if log := data.Build.Log; len(log.Lines) != 0 || !log.Complete {
		t.Errorf("log: %+v, want a complete one without lines", log)
	}
	for got := range h.as(ada).follow(`subscription ($id: ID!) { buildLog(id: $id) { number } }`, variables{"id": build}) {
		t.Errorf("a line of a build that printed none: %+v", got)
	}
}
