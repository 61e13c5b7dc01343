package controller_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// old is a build of an image that ended some hours ago; a final phase is billed too.
type old struct {
	hours int
	phase v1alpha1.BuildPhase
}

const (
	good    = v1alpha1.PhaseSucceeded
	bad     = v1alpha1.PhaseFailed
	running = v1alpha1.PhaseRunning
	day     = 24
)

// keeping is billing with another plan.
type keeping struct {
	controller.Billing
	limits *model.PlanLimits
	err    error
}

func (k keeping) AccountPlan(context.Context, string) (*model.Plan, error) {
	return &model.Plan{Limits: k.limits}, k.err
}

// TestRetention: which builds of an image stay, by their numbers.
func TestRetention(t *testing.T) {
	operator := func(builds int, age time.Duration) func(*controller.Options) {
		return func(o *controller.Options) { o.KeepBuilds, o.KeepBuildsFor = builds, age }
	}
	four := []old{{5, good}, {4, bad}, {3, bad}, {2, bad}}
	cases := []struct {
		reason string
		set    func(*controller.Options)
		plan   keeping
		builds []old // the first has number 1
		stay   []int64
	}{
		{"nothing bounds them", operator(0, 0), keeping{}, four, []int64{1, 2, 3, 4}},
		{"as many as the operator says, and the newest success", operator(2, 0), keeping{}, four, []int64{1, 3, 4}},
		{"the plan says more", operator(1, 0), keeping{limits: &model.PlanLimits{KeptBuilds: new(3)}}, four, []int64{1, 2, 3, 4}},
		{"the plan says less", operator(4, 0), keeping{limits: &model.PlanLimits{KeptBuilds: new(1)}}, four, []int64{1, 4}},
		{"by age, but the newest success and the newest of all", operator(0, 3*time.Hour), keeping{},
			[]old{{9, good}, {8, good}, {7, bad}, {6, bad}}, []int64{2, 4}},
		{"days of the plan", operator(0, 3*time.Hour), keeping{limits: &model.PlanLimits{KeptDays: new(2)}},
			[]old{{3 * day, bad}, {3 * day, good}, {day, bad}, {6, bad}}, []int64{2, 3, 4}},
		{"what just ended stays a while", operator(1, 0), keeping{}, []old{{5, good}, {0, bad}, {0, good}}, []int64{2, 3}},
		{"what runs stays", operator(1, 0), keeping{}, []old{{5, running}, {4, bad}, {3, good}}, []int64{1, 3}},
		{"an account that billing does not know has no plan", operator(1, 0), keeping{err: fault.New(fault.NotFound, "gone")}, four, []int64{1, 4}},
	}
	for i, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t)
			image := w.image(fmt.Sprintf("app%d", i))
			for n, one := range c.builds {
				w.older(image, int64(n+1), one)
			}
			// One whose image is gone goes with the first round, and one whose image goes later with another.
			marker, second := w.image("marker"), w.image("second")
			first, last := w.older(marker, 1, old{5, good}), w.older(second, 1, old{5, good})
			w.delete(marker)
			w.run(c.set, func(o *controller.Options) {
				c.plan.Billing = o.Billing
				if c.plan.limits == nil {
					c.plan.limits = &model.PlanLimits{}
				}
				o.Billing = c.plan
			})
			w.eventually("the right builds stay", func() bool {
				return !w.there(first) && cmp.Equal(c.stay, w.numbers(image.Name))
			})
			w.delete(second)
			w.eventually("another round is made", func() bool { return !w.there(last) })
			if diff := cmp.Diff(c.stay, w.numbers(image.Name)); diff != "" {
				t.Errorf("they did not stay (-want +got):\n%s", diff)
			}
		})
	}
}

// older makes a build that ended a while ago, or one that runs: its pod fits nowhere.
func (w *world) older(image *v1alpha1.Image, number int64, one old) *v1alpha1.Build {
	w.t.Helper()
	end := time.Now().UTC().Truncate(time.Second).Add(-time.Duration(one.hours) * time.Hour)
	if one.phase == running {
		return w.build(image, number, func(b *v1alpha1.Build) { b.Spec.Limits.CPU.Set(8000) }) // fits nowhere
	}
	build := w.finished(image, number, 60, end)
	build.Status.Phase = one.phase
	build.Status.Billing = &v1alpha1.BuildBilling{Seconds: 60, ReportTime: metav1.NewTime(end)}
	w.writeStatus(build)
	return build
}

func (w *world) there(build *v1alpha1.Build) bool {
	w.t.Helper()
	return slices.ContainsFunc(w.builds(), func(b v1alpha1.Build) bool { return b.UID == build.UID })
}

// numbers are those of the builds of an image that are there.
func (w *world) numbers(image string) []int64 {
	w.t.Helper()
	var found []int64
	for _, build := range w.builds() {
		if build.Spec.Image.Name == image {
			found = append(found, build.Spec.Number)
		}
	}
	slices.Sort(found)
	return found
}

// TestImageIsDeleted: its builds end and go, with their logs, while a controller is
// killed in the middle of it; what they used is on the meter and in the ledger. A new
// image of the name keeps its own.
func TestImageIsDeleted(t *testing.T) {
	const count = 30
	w := newWorld(t)
	image := w.image("app")
	end := time.Now().UTC().Truncate(time.Second).Add(-2 * time.Hour)
	logs := 0
	for n := range int64(count) {
		build := w.finished(image, n+1, 60, end) // billing was not told yet
		if n%10 == 0 {
			w.keptLog(build)
			logs++
		}
		if n == 0 { // a webhook that is tried again much later holds nothing up
			build.Status.Webhook = &v1alpha1.WebhookDelivery{Attempts: 6, NextTime: &metav1.Time{Time: time.Now().Add(6 * time.Hour)}}
			w.writeStatus(build)
		}
	}
	if got := w.keptLogs(); got != logs {
		t.Fatalf("%d logs are kept, want %d", got, logs)
	}
	w.delete(image)
	again := w.older(w.image("app"), 1+count, old{5, good})
	binary := program(t, "../cmd/controller")
	first := w.launchBinary(binary, "--leader-elect=false")
	w.eventually("some are gone", func() bool { return len(w.builds()) <= count-5 })
	first.kill()
	w.launchBinary(binary, "--leader-elect=false")
	w.eventually("all are gone but the new image's", func() bool { return len(w.builds()) == 1 && w.there(again) })
	w.eventually("their logs too", func() bool { return w.keptLogs() == 0 })
	if got := w.metered(); got != count*60 {
		t.Errorf("Stripe holds %d seconds, want %d", got, count*60)
	}
	sum := int64(0)
	for _, seconds := range w.entered() {
		sum += seconds
	}
	if sum != count*60 {
		t.Errorf("the ledger has %d seconds, want %d", sum, count*60)
	}
}

// keptLog is a log of a build, as the controller keeps it.
func (w *world) keptLog(build *v1alpha1.Build) {
	w.t.Helper()
	w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: build.Namespace, Name: build.Name + "-log-0", Labels: map[string]string{v1alpha1.LabelBuild: build.Name},
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(build, v1alpha1.GroupVersion.WithKind("Build"))},
	}})
}

func (w *world) keptLogs() int {
	w.t.Helper()
	var list corev1.ConfigMapList
	if err := w.kube.List(w.t.Context(), &list, client.InNamespace(w.namespace), client.HasLabels{v1alpha1.LabelBuild}); err != nil {
		w.t.Fatal(err)
	}
	return len(slices.DeleteFunc(list.Items, func(c corev1.ConfigMap) bool { return !strings.Contains(c.Name, "-log-") }))
}
