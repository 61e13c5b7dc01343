package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// A build keeps what its image and plan were at the start.
func TestBuildIsASnapshot(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	login := newLogin()
	in := input("app")
	in.Tags = []string{"latest", "v{{.Number}}"}
	timeout := 60
	in.TimeoutSeconds = &timeout
	image, err := c.CreateImage(t.Context(), model.Owner{Login: login}, in, 10)
	must(t, err)
	started, err := c.StartBuild(t.Context(), model.BuildStart{Image: image.Key, Ref: "v1.2", Trigger: model.BuildTriggerPush, Plan: plan()})
	must(t, err)
	want := &model.Build{Key: started.Key, ImageKey: image.Key, ImageUID: image.UID, Number: 1, Phase: model.BuildPhaseQueued,
		Trigger: model.BuildTriggerPush, Ref: "v1.2", QueuedAt: started.QueuedAt, Version: started.Version}
	if diff := cmp.Diff(want, started); diff != "" {
		t.Errorf("started (-want +got):\n%s", diff)
	}
	read, err := c.Build(t.Context(), started.Key)
	must(t, err)
	if diff := cmp.Diff(started, read); diff != "" {
		t.Errorf("the writer's replica reads something else (-want +got):\n%s", diff)
	}

	var b v1alpha1.Build
	must(t, w.Get(t.Context(), client.ObjectKey{Namespace: v1alpha1.Namespace(login), Name: started.Key.Name}, &b))
	minutes := int64(100)
	spec := v1alpha1.BuildSpec{
		Account: login, Image: v1alpha1.ImageReference{Name: "app", UID: image.UID}, Number: 1, Trigger: v1alpha1.TriggerPush,
		Recipe: v1alpha1.Recipe{
			Source:      v1alpha1.GitSource{Repository: in.Source.Repository, Ref: "v1.2", Context: ".", Dockerfile: "Dockerfile"},
			Destination: in.Destination, Tags: in.Tags, Cache: &in.Cache},
		Limits: v1alpha1.BuildLimits{ConcurrentBuilds: 2, BuildMinutes: &minutes, TimeoutSeconds: 60,
			CPU: resource.MustParse("500m"), Memory: resource.MustParse("1Gi")},
	}
	if diff := cmp.Diff(spec, b.Spec); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
	labels := map[string]string{v1alpha1.LabelAccount: login, v1alpha1.LabelImage: "app"}
	if diff := cmp.Diff(labels, b.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

func TestStartBuildFaults(t *testing.T) {
	c := newWorld(t).connect(t, nil)
	login := newLogin()
	image := create(t, c, login, "app")
	suspended := create(t, c, login, "suspended")
	_, err := c.UpdateImage(t.Context(), suspended.Key, updateSuspended(true))
	must(t, err)
	none, broken := plan(), plan()
	none.Limits.ConcurrentBuilds = 0
	broken.Limits.CPU = "lots"
	for _, test := range []struct {
		reason string
		start  model.BuildStart
		kind   fault.Kind
		words  string
	}{
		{"an image that is not there", model.BuildStart{Image: model.Key{Login: login, Name: "none"}, Plan: plan()}, fault.NotFound, "image"},
		{"a name that is a path", model.BuildStart{Image: model.Key{Login: login, Name: ".."}, Plan: plan()}, fault.NotFound, "image"},
		{"no name at all", model.BuildStart{Image: model.Key{Login: login}, Plan: plan()}, fault.NotFound, "image"},
		{"another account's image", model.BuildStart{Image: model.Key{Login: newLogin(), Name: "app"}, Plan: plan()}, fault.NotFound, "image"},
		{"a ref that git would take for an option", model.BuildStart{Image: image.Key, Ref: "--all", Plan: plan()}, fault.BadUserInput, "ref must be a branch"},
		{"a suspended image", model.BuildStart{Image: suspended.Key, Plan: plan()}, fault.Conflict, "suspended: false"},
		{"a plan without builds", model.BuildStart{Image: image.Key, Plan: none}, fault.LimitExceeded, "larger plan"},
		{"a plan that is broken", model.BuildStart{Image: image.Key, Plan: broken}, fault.Internal, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			_, err := c.StartBuild(t.Context(), test.start)
			wantFault(t, err, test.kind, test.words)
		})
	}
	slice, err := c.Builds(t.Context(), model.BuildQuery{Login: login, Page: model.Page{First: 1}})
	must(t, err)
	if slice.Total != 0 {
		t.Errorf("%d builds were started all the same", slice.Total)
	}
}

func TestStartedOnce(t *testing.T) {
	w := newWorld(t)
	here, there := w.connect(t, nil), w.connect(t, nil)
	image := create(t, here, newLogin(), "app")
	begin := model.BuildStart{Image: image.Key, Trigger: model.BuildTriggerManual, Plan: plan(), ClientMutationID: "once"}
	var group sync.WaitGroup
	keys := make([]model.Key, 8)
	for i := range keys {
		c := here
		if i%2 == 1 {
			c = there
		}
		group.Go(func() {
			b, err := c.StartBuild(t.Context(), begin)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = b.Key
		})
	}
	group.Wait()
	if all := slices.Compact(keys); len(all) != 1 {
		t.Errorf("one mutation started %v", all)
	}
	begin.ClientMutationID = "twice"
	if b, err := here.StartBuild(t.Context(), begin); err != nil || b.Key == keys[0] {
		t.Errorf("another mutation gave %v, %v", b, err)
	}
}

// Builds that start at the same moment through two replicas have numbers of their own.
func TestBuildNumbers(t *testing.T) {
	w := newWorld(t)
	replicas := []func() *model.Build{}
	here, there := w.connect(t, nil), w.connect(t, nil)
	image := create(t, here, newLogin(), "app")
	for i := range 20 {
		c := here
		if i%2 == 1 {
			c = there
		}
		replicas = append(replicas, func() *model.Build { return start(t, c, image.Key) })
	}
	var group sync.WaitGroup
	numbers := make([]int, len(replicas))
	for i, begin := range replicas {
		group.Go(func() { numbers[i] = begin().Number })
	}
	group.Wait()
	slices.Sort(numbers)
	var want []int
	for i := range replicas {
		want = append(want, i+1)
	}
	if diff := cmp.Diff(want, numbers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCancelBuild(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	login := newLogin()
	image := create(t, c, login, "app")
	queued, done := start(t, c, image.Key), start(t, c, image.Key)
	w.status(t, done.Key, ended(v1alpha1.PhaseSucceeded))
	asked := func(key model.Key) string {
		var b v1alpha1.Build
		must(t, w.Get(t.Context(), client.ObjectKey{Namespace: v1alpha1.Namespace(login), Name: key.Name}, &b))
		return b.ResourceVersion + " " + b.Annotations[v1alpha1.AnnotationCancelRequested]
	}
	b, err := c.CancelBuild(t.Context(), queued.Key)
	must(t, err)
	if b.Phase != model.BuildPhaseQueued {
		t.Errorf("the build is %s: ending it is the controller's", b.Phase)
	}
	first := asked(queued.Key)
	if _, err := time.Parse(time.RFC3339, first[len(b.Version)+1:]); err != nil {
		t.Errorf("the annotation is no time: %v", err)
	}
	_, err = c.CancelBuild(t.Context(), queued.Key)
	must(t, err)
	if second := asked(queued.Key); second != first {
		t.Errorf("cancelled again: %s became %s", first, second)
	}
	before := asked(done.Key)
	b, err = c.CancelBuild(t.Context(), done.Key)
	must(t, err)
	if b.Phase != model.BuildPhaseSucceeded || asked(done.Key) != before {
		t.Errorf("a build that had ended was touched: %s", b.Phase)
	}
	for _, name := range []string{"none", "..", "a%2fb", ""} {
		_, err = c.CancelBuild(t.Context(), model.Key{Login: login, Name: name})
		wantFault(t, err, fault.NotFound, "build")
	}
}

func TestRetryBuild(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	ctx, login := t.Context(), newLogin()
	commit := strings.Repeat("c0ffee00", 5)
	image, lost := create(t, c, login, "app"), create(t, c, login, "lost")
	running, failed, cloneless, orphan := start(t, c, image.Key), start(t, c, image.Key), start(t, c, image.Key), start(t, c, lost.Key)
	w.status(t, running.Key, ended(v1alpha1.PhaseRunning))
	w.status(t, failed.Key, func(s *v1alpha1.BuildStatus) { s.Phase, s.Commit = v1alpha1.PhaseFailed, commit })
	w.status(t, cloneless.Key, ended(v1alpha1.PhaseFailed))
	w.status(t, orphan.Key, ended(v1alpha1.PhaseSucceeded))
	must(t, c.DeleteImage(ctx, lost.Key, ""))

	source := func(key model.Key) string {
		var b v1alpha1.Build
		must(t, w.Get(ctx, client.ObjectKey{Namespace: v1alpha1.Namespace(login), Name: key.Name}, &b))
		return b.Spec.Source.Ref + "@" + b.Spec.Commit
	}
	retried, err := c.RetryBuild(ctx, failed.Key, model.BuildStart{Plan: plan(), ClientMutationID: "again"})
	must(t, err)
	if retried.Trigger != model.BuildTriggerRetry || retried.Number != 4 || source(retried.Key) != "main@"+commit || *retried.TriggeredBy != "build 2" {
		t.Errorf("got %+v of %s", retried, source(retried.Key))
	}
	if same, err := c.RetryBuild(ctx, failed.Key, model.BuildStart{Plan: plan(), ClientMutationID: "again"}); err != nil || same.Key != retried.Key {
		t.Errorf("the same mutation gave %v, %v", same, err)
	}
	if other, err := c.RetryBuild(ctx, cloneless.Key, model.BuildStart{Plan: plan(), ClientMutationID: "again"}); err != nil || source(other.Key) != "main@" || other.Key == retried.Key {
		t.Errorf("a build without a commit is retried from its ref: %v, %v", other, err)
	}
	_, err = c.RetryBuild(ctx, running.Key, model.BuildStart{Plan: plan()})
	wantFault(t, err, fault.Conflict, "not ended")
	_, err = c.RetryBuild(ctx, orphan.Key, model.BuildStart{Plan: plan()})
	wantFault(t, err, fault.Conflict, "gone")
	create(t, c, login, "lost")
	_, err = c.RetryBuild(ctx, orphan.Key, model.BuildStart{Plan: plan()})
	wantFault(t, err, fault.Conflict, "gone")
	_, err = c.RetryBuild(ctx, model.Key{Login: login, Name: "none"}, model.BuildStart{Plan: plan()})
	wantFault(t, err, fault.NotFound)
}

func TestBuilds(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	ctx, login := t.Context(), newLogin()
	app, other, idle := create(t, c, login, "app"), create(t, c, login, "other"), create(t, c, login, "idle")
	stranger := create(t, c, newLogin(), "app")
	start(t, c, stranger.Key)
	day := func(text string) *metav1.Time {
		at, err := time.Parse(time.RFC3339, text)
		must(t, err)
		return &metav1.Time{Time: at}
	}
	for _, end := range []*metav1.Time{day("2026-03-01T00:00:00Z"), day("2026-03-01T23:59:59Z"), day("2026-03-02T01:00:00+02:00"), day("2026-03-03T00:00:00Z")} {
		w.status(t, start(t, c, app.Key).Key, func(s *v1alpha1.BuildStatus) { s.Phase, s.CompletionTime = v1alpha1.PhaseSucceeded, end })
	}
	newest, elsewhere := start(t, c, app.Key), start(t, c, other.Key)
	eventually(t, "every end is seen", func() bool {
		slice, err := c.Builds(ctx, model.BuildQuery{Login: login, Phases: []model.BuildPhase{model.BuildPhaseSucceeded}, Page: model.Page{First: 100}})
		return err == nil && slice.Total == 4
	})
	for _, test := range []struct {
		reason string
		image  *model.Image
		phases []model.BuildPhase
		want   []string
	}{
		{"of an image, newest first", app, nil, []string{"app 5", "app 4", "app 3", "app 2", "app 1"}},
		{"of an image in a phase", app, []model.BuildPhase{model.BuildPhaseQueued, model.BuildPhaseRunning}, []string{"app 5"}},
		{"of an image without builds", idle, nil, nil},
	} {
		t.Run(test.reason, func(t *testing.T) {
			slice, err := c.Builds(ctx, model.BuildQuery{Login: login, Image: test.image, Phases: test.phases, Page: model.Page{First: 100}})
			must(t, err)
			got := names(slice.Items, func(b *model.Build) string { return fmt.Sprint(b.ImageKey.Name, " ", b.Number) })
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	all, err := c.Builds(ctx, model.BuildQuery{Login: login, Page: model.Page{First: 2}})
	must(t, err)
	if all.Total != 6 || !all.HasNext || len(all.Items) != 2 {
		t.Errorf("of the account: %d in all, %d on the page", all.Total, len(all.Items))
	}
	latest, err := c.LatestBuilds(ctx, []*model.Image{app, other, idle})
	must(t, err)
	if diff := cmp.Diff(map[model.Key]*model.Build{app.Key: newest, other.Key: elsewhere}, latest); diff != "" {
		t.Errorf("latest (-want +got):\n%s", diff)
	}
	endings, err := c.BuildsEnded(ctx, login, day("2026-03-01T00:00:00Z").Time, day("2026-03-03T00:00:00Z").Time)
	must(t, err)
	if diff := cmp.Diff(map[string]int{"2026-03-01": 3}, endings); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
}
