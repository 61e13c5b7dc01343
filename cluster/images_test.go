package cluster_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

func updateSuspended(suspended bool) model.UpdateImageInput {
	return model.UpdateImageInput{Suspended: graphql.OmittableOf(&suspended)}
}

func TestImageLife(t *testing.T) {
	w := newWorld(t)
	c, elsewhere := w.connect(t, nil), w.connect(t, nil)
	login, ctx := newLogin(), t.Context()
	in := input("app")
	in.BuildArgs = []*model.KeyValueInput{{Key: "VERSION", Value: "1"}}
	in.Platforms = []string{"linux/amd64"}
	timeout := 60
	in.TimeoutSeconds = &timeout

	created, err := c.CreateImage(ctx, model.Owner{Login: login}, in, 10)
	must(t, err)
	want := &model.Image{Key: model.Key{Login: login, Name: "app"},
		Source:      &model.GitSource{Repository: in.Source.Repository, Ref: "main", Context: ".", Dockerfile: "Dockerfile"},
		Destination: in.Destination, Tags: []string{"latest"}, BuildArgs: []*model.KeyValue{{Key: "VERSION", Value: "1"}},
		Platforms: []string{"linux/amd64"}, TimeoutSeconds: &timeout,
		Triggers: &model.ImageTriggers{}, BuildSecrets: []*model.BuildSecret{}}
	ignore := cmpopts.IgnoreFields(model.Image{}, "UID", "CreatedAt", "UpdatedAt", "Version")
	if diff := cmp.Diff(want, created, ignore); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	if created.CreatedAt.IsZero() || created.UpdatedAt.Before(created.CreatedAt) || created.UID == "" {
		t.Errorf("created at %s, updated at %s, UID %q", created.CreatedAt, created.UpdatedAt, created.UID)
	}
	var namespace corev1.Namespace
	must(t, w.Get(ctx, client.ObjectKey{Name: v1alpha1.Namespace(login)}, &namespace))
	if namespace.Labels[v1alpha1.LabelAccount] != login || namespace.Annotations[v1alpha1.AnnotationLogin] != login {
		t.Errorf("the namespace has the labels %v and annotations %v", namespace.Labels, namespace.Annotations)
	}

	read, err := c.Image(ctx, created.Key)
	must(t, err)
	if diff := cmp.Diff(created, read); diff != "" {
		t.Errorf("the writer's replica reads something else (-want +got):\n%s", diff)
	}
	eventually(t, "another replica reads it", func() bool {
		read, err := elsewhere.Image(ctx, created.Key)
		return err == nil && cmp.Equal(created, read)
	})

	updated, err := c.UpdateImage(ctx, created.Key, model.UpdateImageInput{
		Tags: graphql.OmittableOf[[]string](nil), BuildArgs: graphql.OmittableOf[[]*model.KeyValueInput](nil),
		TimeoutSeconds: graphql.OmittableOf[*int](nil), Suspended: graphql.OmittableOf(new(true)),
		Source: graphql.OmittableOf(&model.GitSourceInput{Repository: "git@host:app.git", Ref: "v2", Context: "a", Dockerfile: "b"}),
	})
	must(t, err)
	want.Source = &model.GitSource{Repository: "git@host:app.git", Ref: "v2", Context: "a", Dockerfile: "b"}
	want.BuildArgs, want.TimeoutSeconds, want.Suspended = []*model.KeyValue{}, nil, true
	want.Triggers.Suspended = true
	if diff := cmp.Diff(want, updated, ignore); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	if read, _ := c.Image(ctx, created.Key); !cmp.Equal(updated, read) {
		t.Error("the writer's replica does not read the update")
	}

	must(t, c.DeleteImage(ctx, created.Key, ""))
	_, err = c.Image(ctx, created.Key)
	wantFault(t, err, fault.NotFound)
	wantFault(t, c.DeleteImage(ctx, created.Key, ""), fault.NotFound)
	_, err = c.UpdateImage(ctx, created.Key, updateSuspended(false))
	wantFault(t, err, fault.NotFound)
	eventually(t, "another replica misses it", func() bool {
		_, err := elsewhere.Image(ctx, created.Key)
		return fault.KindOf(err) == fault.NotFound
	})
}

func TestCreateImageFaults(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	login, taken := newLogin(), newLogin()
	create(t, c, login, "app")
	must(t, w.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.Namespace(taken),
		Annotations: map[string]string{v1alpha1.AnnotationLogin: "somebody"}}}))
	for _, test := range []struct {
		reason, login, name string
		limit               int
		kind                fault.Kind
		words               string
	}{
		{"a name that is no DNS label", login, "No Name", 10, fault.BadUserInput, "name must be a DNS label"},
		{"a name that is taken", login, "app", 10, fault.AlreadyExists, "app"},
		{"a name that is taken, at the limit", login, "app", 1, fault.AlreadyExists, "app"},
		{"one more than the plan allows", login, "other", 1, fault.LimitExceeded, "1 images"},
		{"a plan without images", newLogin(), "app", 0, fault.LimitExceeded, "larger plan"},
		{"a namespace that is another's", taken, "app", 10, fault.Conflict, v1alpha1.Namespace(taken)},
	} {
		t.Run(test.reason, func(t *testing.T) {
			_, err := c.CreateImage(t.Context(), model.Owner{Login: test.login}, input(test.name), test.limit)
			wantFault(t, err, test.kind, test.words)
		})
	}
}

func TestImageMutationsAreMadeOnce(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	ctx, login := t.Context(), newLogin()
	id := func(id string) *string { return &id }
	in := input("app")
	in.ClientMutationID = id("create")
	first, err := c.CreateImage(ctx, model.Owner{Login: login}, in, 1)
	must(t, err)
	again, err := c.CreateImage(ctx, model.Owner{Login: login}, in, 1)
	must(t, err)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("created again (-want +got):\n%s", diff)
	}
	in.ClientMutationID = id("create another")
	_, err = c.CreateImage(ctx, model.Owner{Login: login}, in, 5)
	wantFault(t, err, fault.AlreadyExists)

	on, off := updateSuspended(true), updateSuspended(false)
	on.ClientMutationID, off.ClientMutationID = id("on"), id("off")
	for _, update := range []model.UpdateImageInput{on, off, on} {
		again, err = c.UpdateImage(ctx, first.Key, update)
		must(t, err)
	}
	if again.Suspended {
		t.Error("the first update was made again")
	}

	must(t, c.DeleteImage(ctx, first.Key, "delete"))
	must(t, c.DeleteImage(ctx, first.Key, "delete"))
	wantFault(t, c.DeleteImage(ctx, first.Key, "delete another"), fault.NotFound)
	second := create(t, c, login, "app")
	must(t, c.DeleteImage(ctx, first.Key, "delete"))
	if still, err := c.Image(ctx, second.Key); err != nil || still.UID != second.UID {
		t.Errorf("the new image of the name went with the old one's mutation: %v", err)
	}
}

// A namespace that was deleted under a running process is made again.
func TestNamespaceComesBack(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	ctx, login := t.Context(), newLogin()
	create(t, c, login, "app")
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.Namespace(login)}}
	must(t, w.Delete(ctx, namespace))
	_, err := c.CreateImage(ctx, model.Owner{Login: login}, input("other"), 10)
	if err != nil { // it may be gone already
		wantFault(t, err, fault.Conflict, "being deleted")
	}
	eventually(t, "the namespace is gone and comes back", func() bool {
		_, err := c.CreateImage(ctx, model.Owner{Login: login}, input("another"), 10)
		return err == nil
	})
}

func TestConcurrentCreatesKeepTheLimit(t *testing.T) {
	c := newWorld(t).connect(t, nil)
	login := newLogin()
	var group sync.WaitGroup
	results := make([]error, 12)
	for i := range results {
		group.Go(func() {
			_, results[i] = c.CreateImage(t.Context(), model.Owner{Login: login}, input(fmt.Sprint("app", i)), 5)
		})
	}
	group.Wait()
	made := 0
	for _, err := range results {
		if err == nil {
			made++
			continue
		}
		wantFault(t, err, fault.LimitExceeded)
	}
	if made != 5 {
		t.Errorf("%d images were created, the plan allows 5", made)
	}
}

func TestImages(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	ctx, login := context.Background(), newLogin()
	keys := map[string]model.Key{}
	for _, name := range []string{"api", "worker", "batch", "web-api"} {
		keys[name] = create(t, c, login, name).Key
	}
	create(t, c, newLogin(), "somebody-elses")
	_, err := c.UpdateImage(ctx, keys["batch"], updateSuspended(true))
	must(t, err)
	old := start(t, c, keys["worker"])
	w.status(t, old.Key, ended(v1alpha1.PhaseFailed))
	eventually(t, "the build is seen to have ended", func() bool {
		b, err := c.Build(ctx, old.Key)
		return err == nil && b.Phase == model.BuildPhaseFailed
	})
	// Creation times have whole seconds.
	eventually(t, "the next second", func() bool { return start(t, c, keys["api"]).QueuedAt.After(old.QueuedAt) })

	by := func(field model.ImageOrderField, direction model.OrderDirection) *model.ImageOrder {
		return &model.ImageOrder{Field: field, Direction: direction}
	}
	for _, test := range []struct {
		reason string
		filter *model.ImageFilter
		order  *model.ImageOrder
		want   []string
	}{
		{"by name, where nothing is said", nil, nil, []string{"api", "batch", "web-api", "worker"}},
		{"by name, backwards", nil, by(model.ImageOrderFieldName, model.OrderDirectionDesc), []string{"worker", "web-api", "batch", "api"}},
		{"oldest build first, those without one last", nil, by(model.ImageOrderFieldLatestBuildAt, model.OrderDirectionAsc), []string{"worker", "api", "batch", "web-api"}},
		{"newest build first, those without one still last", nil, by(model.ImageOrderFieldLatestBuildAt, model.OrderDirectionDesc), []string{"api", "worker", "web-api", "batch"}},
		{"names that contain a text, in any case", &model.ImageFilter{NameContains: new("API")}, nil, []string{"api", "web-api"}},
		{"suspended", &model.ImageFilter{Suspended: new(true)}, nil, []string{"batch"}},
		{"not suspended", &model.ImageFilter{Suspended: new(false)}, nil, []string{"api", "web-api", "worker"}},
		{"by the latest build's phase", &model.ImageFilter{LatestPhase: []model.BuildPhase{model.BuildPhaseFailed}}, nil, []string{"worker"}},
		{"all conditions together", &model.ImageFilter{NameContains: new("w"), Suspended: new(false), LatestPhase: []model.BuildPhase{model.BuildPhaseQueued}}, nil, nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var got []string
			page := model.Page{First: 1}
			for more := true; more; {
				slice, err := c.Images(ctx, model.ImageQuery{Login: login, Filter: test.filter, Order: test.order, Page: page})
				must(t, err)
				got = append(got, names(slice.Items, (*model.Image).Name)...)
				if slice.Total != len(test.want) {
					t.Errorf("total %d, want %d", slice.Total, len(test.want))
				}
				if more = slice.HasNext; more {
					page.After = slice.Cursors[0]
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	slice, err := c.Images(ctx, model.ImageQuery{Login: login, Page: model.Page{First: 1}})
	must(t, err)
	_, err = c.Images(ctx, model.ImageQuery{Login: login, Page: model.Page{First: 1, After: slice.Cursors[0]},
		Order: by(model.ImageOrderFieldCreatedAt, model.OrderDirectionAsc)})
	wantFault(t, err, fault.BadUserInput, "orderBy")
}
