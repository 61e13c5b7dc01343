package cluster_test

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/badge"
	"drydock.dev/drydock/graph/model"
)

// TestBadge follows what an image's badge says through the image's life.
func TestBadge(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	login := newLogin()
	image := create(t, c, login, "app")
	var key model.Key
	begin := func() { key = start(t, c, image.Key).Key }
	end := func(phase v1alpha1.BuildPhase) func() { return func() { w.status(t, key, ended(phase)) } }
	show := func(public bool) func() {
		return func() {
			_, err := c.UpdateImage(t.Context(), image.Key, model.UpdateImageInput{Public: graphql.OmittableOf(&public)})
			must(t, err)
		}
	}
	steps := []struct {
		reason string
		step   func()
		state  badge.State
		public bool
	}{
		{"images are private from the start", func() {}, badge.Unknown, false},
		{"it was never built", show(true), badge.Unknown, true},
		{"its first build is queued", begin, badge.Building, true},
		{"it runs", end(v1alpha1.PhaseRunning), badge.Building, true},
		{"it succeeded", end(v1alpha1.PhaseSucceeded), badge.Passing, true},
		{"the next one is queued", begin, badge.Building, true},
		{"a cancelled one says nothing", end(v1alpha1.PhaseCancelled), badge.Passing, true},
		{"and one that failed", func() { begin(); end(v1alpha1.PhaseFailed)() }, badge.Failing, true},
		{"private again", show(false), badge.Unknown, false},
		{"public, and gone", func() { show(true)(); must(t, c.DeleteImage(t.Context(), image.Key, "")) }, badge.Unknown, false},
		{"an image of the name has builds of its own", func() {
			image = create(t, c, login, "app")
			show(true)()
		}, badge.Unknown, true},
	}
	for _, s := range steps {
		s.step()
		eventually(t, s.reason, func() bool {
			state, public := c.Badge(login, "app")
			return state == s.state && public == s.public
		})
	}
	if state, public := c.Badge(newLogin(), "app"); state != badge.Unknown || public {
		t.Errorf("another account's is %s", state)
	}
}
