package launch_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/launch"
)

func image() *v1alpha1.Image {
	image := &v1alpha1.Image{ObjectMeta: metav1.ObjectMeta{Namespace: "drydock-ada", Name: "app", UID: "uid"}}
	image.Spec.Source = v1alpha1.GitSource{Repository: "https://git.example.com/app.git", Ref: "main"}
	image.Spec.Tags = []string{"latest"}
	return image
}

func start(limits model.PlanLimits) model.BuildStart {
	return model.BuildStart{Image: model.Key{Login: "ada", Name: "app"}, CustomerID: "cus_1", Trigger: model.BuildTriggerPush, Plan: &model.Plan{Limits: &limits}}
}

var limits = model.PlanLimits{ConcurrentBuilds: 2, BuildTimeoutSeconds: 600, IncludedBuildMinutes: 5, CPU: "1", Memory: "1Gi"}

// TestBuild holds what a Build takes from whom.
func TestBuild(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	for _, test := range []struct {
		reason string
		image  func(*v1alpha1.Image)
		start  func(*model.BuildStart)
		want   func(*v1alpha1.Build) bool
		fails  fault.Kind
	}{
		{"the image's ref", nil, nil, func(b *v1alpha1.Build) bool { return b.Spec.Source.Ref == "main" && b.Spec.Commit == "" }, ""},
		{"another ref", nil, func(s *model.BuildStart) { s.Ref = "v1" }, func(b *v1alpha1.Build) bool { return b.Spec.Source.Ref == "v1" }, ""},
		{"a commit keeps its branch", nil, func(s *model.BuildStart) { s.Commit = strings.Repeat("a", 40) }, func(b *v1alpha1.Build) bool {
			return b.Spec.Source.Ref == "main" && b.Spec.Commit == strings.Repeat("a", 40)
		}, ""},
		{"whose it is, and what started it", nil, func(s *model.BuildStart) { s.TriggeredBy, s.TriggerTime = "ada", at }, func(b *v1alpha1.Build) bool {
			return b.Spec.Account == "ada" && b.Spec.Customer == "cus_1" && b.Spec.Image.UID == "uid" && b.Spec.Trigger == v1alpha1.TriggerPush &&
				b.Spec.TriggeredBy == "ada" && b.Spec.TriggerTime.Equal(&metav1.Time{Time: at}) && b.Labels[v1alpha1.LabelImage] == "app"
		}, ""},
		{"words from outside are one line of bounded length", nil, func(s *model.BuildStart) { s.TriggeredBy = "a\x1b[0m\r\nb\xff " + strings.Repeat("ü", 500) }, func(b *v1alpha1.Build) bool {
			return strings.HasPrefix(b.Spec.TriggeredBy, "a[0m b ü") && utf8.RuneCountInString(b.Spec.TriggeredBy) == v1alpha1.MaxTriggeredBy
		}, ""},
		{"the image may lower the timeout", func(i *v1alpha1.Image) { i.Spec.TimeoutSeconds = new(int32(60)) }, nil, func(b *v1alpha1.Build) bool { return b.Spec.Limits.TimeoutSeconds == 60 }, ""},
		{"and not raise it", func(i *v1alpha1.Image) { i.Spec.TimeoutSeconds = new(int32(6000)) }, nil, func(b *v1alpha1.Build) bool { return b.Spec.Limits.TimeoutSeconds == 600 }, ""},
		{"the plan's minutes", nil, nil, func(b *v1alpha1.Build) bool { return *b.Spec.Limits.BuildMinutes == 5 }, ""},
		{"a suspended image", func(i *v1alpha1.Image) { i.Spec.Suspended = true }, nil, nil, fault.Conflict},
		{"a plan without builds", nil, func(s *model.BuildStart) { s.Plan.Limits.ConcurrentBuilds = 0 }, nil, fault.LimitExceeded},
		{"a plan that nobody can read", nil, func(s *model.BuildStart) { s.Plan.Limits.Memory = "much" }, nil, fault.Internal},
	} {
		image, start := image(), start(limits)
		if test.image != nil {
			test.image(image)
		}
		if test.start != nil {
			test.start(&start)
		}
		got, err := launch.Build(launch.Name(image, "x"), start, image)
		switch {
		case test.fails != "":
			if fault.KindOf(err) != test.fails {
				t.Errorf("%s: %v, want %s", test.reason, err, test.fails)
			}
		case err != nil || !test.want(got):
			t.Errorf("%s: %v: %+v", test.reason, err, got)
		}
	}
}

// TestBuildIsASnapshot holds that a Build does not change with its image.
func TestBuildIsASnapshot(t *testing.T) {
	image := image()
	b, err := launch.Build("app-1", start(limits), image)
	if err != nil {
		t.Fatal(err)
	}
	image.Spec.Tags[0] = "other"
	if diff := cmp.Diff([]string{"latest"}, b.Spec.Tags); diff != "" {
		t.Error(diff)
	}
}

// TestTrigger holds that both vocabularies name the same triggers.
func TestTrigger(t *testing.T) {
	for _, word := range model.AllBuildTrigger {
		start := start(limits)
		start.Trigger = word
		b, err := launch.Build("app-1", start, image())
		if err != nil || launch.Trigger(b.Spec.Trigger) != word {
			t.Errorf("%s became %s: %v", word, b.Spec.Trigger, err)
		}
	}
}
