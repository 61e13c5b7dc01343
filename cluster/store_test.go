package cluster

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/graph/model"
)

// stored is an image of the account ada as the API server would tell of it.
func stored(name, uid, version string) *v1alpha1.Image {
	return &v1alpha1.Image{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.Namespace("ada"), Name: name,
		UID: types.UID(uid), ResourceVersion: version}}
}

func TestStore(t *testing.T) {
	type images = store[*model.Image]
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	list := func(version string, items ...*v1alpha1.Image) func(*images) {
		return func(s *images) {
			var all []any
			for _, item := range items {
				all = append(all, item)
			}
			must(s.Replace(all, version))
		}
	}
	add := func(i *v1alpha1.Image) func(*images) { return func(s *images) { must(s.Add(i)) } }
	gone := func(i *v1alpha1.Image) func(*images) { return func(s *images) { must(s.Delete(i)) } }
	wrote := func(i *v1alpha1.Image) func(*images) {
		return func(s *images) {
			_, err := s.remember(i)
			must(err)
		}
	}
	deleted := func(name, uid string) func(*images) {
		return func(s *images) { s.forget(v1alpha1.Namespace("ada"), name, types.UID(uid)) }
	}
	ending := stored("a", "1", "11")
	ending.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	foreign := stored("a", "1", "11")
	foreign.Namespace = "kube-system"

	for _, test := range []struct {
		reason string
		steps  []func(*images)
		// want and told are name@version; told is what a subscriber from the start is told
		// of, with a - in front of what is gone.
		want, told []string
	}{
		{"what is listed is there, in order", []func(*images){list("10", stored("b", "2", "9"), stored("a", "1", "8"))}, []string{"a@8", "b@9"}, []string{"b@9", "a@8"}},
		{"what the watch tells is there", []func(*images){list("10"), add(stored("a", "1", "11")), add(stored("a", "1", "12")), gone(stored("a", "1", "13")), add(stored("b", "2", "14"))},
			[]string{"b@14"}, []string{"a@11", "a@12", "-a@12", "b@14"}},
		{"a repeated state is told once", []func(*images){list("10", stored("a", "1", "8")), list("12", stored("a", "1", "8")), add(stored("a", "1", "8"))}, []string{"a@8"}, []string{"a@8"}},
		{"an own write is there before the watch tells of it, and is told once", []func(*images){list("10"), wrote(stored("a", "1", "11")), add(stored("a", "1", "11"))}, []string{"a@11"}, []string{"a@11"}},
		{"an older state does not overwrite an own write", []func(*images){list("10", stored("a", "1", "8")), wrote(stored("a", "1", "12")), add(stored("a", "1", "11"))}, []string{"a@12"}, []string{"a@8", "a@12"}},
		{"an own write that the watch has passed, deleted by somebody meanwhile, stays gone", []func(*images){list("10"), add(stored("a", "1", "11")), gone(stored("a", "1", "12")), wrote(stored("a", "1", "11"))}, nil, []string{"a@11", "-a@11"}},
		{"an own delete holds while the watch lags behind", []func(*images){list("10", stored("a", "1", "8")), deleted("a", "1"), add(stored("a", "1", "9")), gone(stored("a", "1", "12"))}, nil, []string{"a@8", "-a@8"}},
		{"a new object of the deleted one's name is another", []func(*images){list("10", stored("a", "1", "8")), deleted("a", "1"), wrote(stored("a", "2", "13")), gone(stored("a", "1", "12"))}, []string{"a@13"}, []string{"a@8", "-a@8", "a@13"}},
		{"an own write beyond a list survives it", []func(*images){list("10"), wrote(stored("a", "1", "12")), list("11")}, []string{"a@12"}, []string{"a@12"}},
		{"what a later list misses is gone", []func(*images){list("10"), wrote(stored("a", "1", "12")), list("13")}, nil, []string{"a@12", "-a@12"}},
		{"what is being deleted is gone", []func(*images){list("10", stored("a", "1", "8")), add(ending)}, nil, []string{"a@8", "-a@8"}},
		{"what is in nobody's namespace is not shown", []func(*images){list("10"), add(foreign)}, nil, nil},
		{"versions that run backwards are another history", []func(*images){list("10", stored("a", "1", "8")), list("3", stored("a", "1", "2"))}, []string{"a@2"}, []string{"a@8", "a@2"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			subscribers, err := newSubscribers(nil)
			must(err)
			s := newStore(imageKind(new(loose)), subscribers, time.Now)
			_, changes := s.subscribe(v1alpha1.Namespace("ada"), func(*model.Image) bool { return true }, slices.Collect[*model.Image])
			show := func(i *model.Image) string { return fmt.Sprintf("%s@%s", i.Key.Name, i.Version) }
			var told []string
			for _, step := range test.steps {
				step(s)
				for c, ok := changes.pop(); ok; c, ok = changes.pop() {
					text := show(c.value)
					if c.gone {
						text = "-" + text
					}
					told = append(told, text)
				}
			}
			var got []string
			for image := range s.all(byAccount, v1alpha1.Namespace("ada")) {
				got = append(got, show(image))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.told, told); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}
