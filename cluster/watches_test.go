package cluster_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

func TestWatchImage(t *testing.T) {
	c := newWorld(t).connect(t, nil)
	ctx, login := t.Context(), newLogin()
	image, other := create(t, c, login, "app"), create(t, c, login, "other")
	watch, err := c.WatchImage(ctx, image.Key)
	must(t, err)
	if first, _ := next(t, watch); !cmp.Equal(image, first) {
		t.Errorf("the present state is told first, got %v", first)
	}
	_, err = c.UpdateImage(ctx, other.Key, updateSuspended(true))
	must(t, err)
	updated, err := c.UpdateImage(ctx, image.Key, updateSuspended(true))
	must(t, err)
	if second, _ := next(t, watch); !cmp.Equal(updated, second) {
		t.Errorf("the change is told next, got %v", second)
	}
	must(t, c.DeleteImage(ctx, image.Key, ""))
	if last, ok := next(t, watch); ok {
		t.Errorf("the end is told by closing, got %v", last)
	}
	_, err = c.WatchImage(ctx, image.Key)
	wantFault(t, err, fault.NotFound)
}

func TestWatchBuilds(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	login := newLogin()
	app, other := create(t, c, login, "app"), create(t, c, login, "other")
	first, second, third := start(t, c, app.Key), start(t, c, other.Key), start(t, c, app.Key)
	for _, test := range []struct {
		reason   string
		selector model.BuildSelector
		present  []*model.Build
		finish   *model.Build
	}{
		{"one build", model.BuildSelector{Login: login, Build: first.Key.Name}, []*model.Build{first}, first},
		{"an image's builds", model.BuildSelector{Login: login, Image: "app"}, []*model.Build{first, third}, third},
		{"all builds, told of one that is another image's", model.BuildSelector{Login: login}, []*model.Build{first, second, third}, second},
	} {
		t.Run(test.reason, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			watch, err := c.WatchBuilds(ctx, test.selector)
			must(t, err)
			for range test.present {
				if b, _ := next(t, watch); b.Key != first.Key && b.Key != second.Key && b.Key != third.Key {
					t.Errorf("told of %v", b.Key)
				}
			}
			w.status(t, test.finish.Key, ended(v1alpha1.PhaseFailed))
			if b, _ := next(t, watch); b.Key != test.finish.Key || b.Phase != model.BuildPhaseFailed {
				t.Errorf("told of %v %s, want %v FAILED", b.Key, b.Phase, test.finish.Key)
			}
			cancel()
			if _, ok := next(t, watch); ok {
				t.Error("told of something after the end")
			}
		})
	}
	for _, test := range []struct {
		reason   string
		selector model.BuildSelector
	}{
		{"a build that is not there", model.BuildSelector{Login: login, Build: "none"}},
		{"another account's build", model.BuildSelector{Login: newLogin(), Build: first.Key.Name}},
		{"an image that is not there", model.BuildSelector{Login: login, Image: "none"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			_, err := c.WatchBuilds(t.Context(), test.selector)
			wantFault(t, err, fault.NotFound)
		})
	}
}

// To begin with a subscriber gets all unfinished builds and the newest others, oldest first.
func TestWatchBuildsBeginsWithWhatMatters(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	image := create(t, c, newLogin(), "app")
	var want []int
	for i := 1; i <= 105; i++ {
		b := start(t, c, image.Key)
		if i != 2 {
			w.status(t, b.Key, ended(v1alpha1.PhaseSucceeded))
		}
		if i == 2 || i > 5 {
			want = append(want, b.Number)
		}
	}
	eventually(t, "all but one are seen to have ended", func() bool {
		slice, err := c.Builds(t.Context(), model.BuildQuery{Login: image.Key.Login, Phases: []model.BuildPhase{model.BuildPhaseQueued}, Page: model.Page{First: 1}})
		return err == nil && slice.Total == 1
	})
	watch, err := c.WatchBuilds(t.Context(), model.BuildSelector{Login: image.Key.Login})
	must(t, err)
	var got []int
	for range want {
		b, _ := next(t, watch)
		got = append(got, b.Number)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A subscriber that does not read holds nobody up, and finds the newest state.
func TestSlowSubscriber(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	image := create(t, c, newLogin(), "app")
	b := start(t, c, image.Key)
	slow, err := c.WatchBuilds(t.Context(), model.BuildSelector{Login: b.Key.Login})
	must(t, err)
	quick, err := c.WatchBuilds(t.Context(), model.BuildSelector{Login: b.Key.Login})
	must(t, err)
	next(t, quick)
	const changes = 50
	for i := range changes {
		w.status(t, b.Key, func(s *v1alpha1.BuildStatus) { s.Phase, s.Message = v1alpha1.PhaseRunning, fmt.Sprint(i) })
		if state, _ := next(t, quick); *state.Message != fmt.Sprint(i) {
			t.Fatalf("the quick one is told %s, want %d", *state.Message, i)
		}
	}
	states := 0
	for message := ""; message != fmt.Sprint(changes-1); states++ {
		state, _ := next(t, slow)
		if state.Message != nil {
			message = *state.Message
		}
	}
	if states > 3 {
		t.Errorf("the slow one had %d states to take, want the first ones and the newest", states)
	}
}

// Close ends every subscription.
func TestCloseEndsSubscriptions(t *testing.T) {
	c := newWorld(t).connect(t, nil)
	image := create(t, c, newLogin(), "app")
	watch, err := c.WatchImage(t.Context(), image.Key)
	must(t, err)
	next(t, watch)
	c.Close()
	if _, ok := next(t, watch); ok {
		t.Error("something came after the end")
	}
	if late, err := c.WatchImage(t.Context(), image.Key); err == nil {
		for range late { // ends by itself
		}
	}
}
