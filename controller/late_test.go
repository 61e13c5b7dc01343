package controller_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/billing/billingtest"
	"drydock.dev/drydock/controller"
	"drydock.dev/drydock/graph/model"
)

// clock is a time that tests move on.
type clock struct {
	start time.Time
	ahead atomic.Int64
}

// newClock begins at the start of an hour a while ago.
func newClock() *clock {
	return &clock{start: time.Now().UTC().Truncate(time.Hour).Add(-50 * 24 * time.Hour)}
}

func (c *clock) Now() time.Time          { return c.start.Add(time.Duration(c.ahead.Load())) }
func (c *clock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }

// finished makes a build that ended, as the other reconcilers leave it, and that
// billing was not told of.
func (w *world) finished(image *v1alpha1.Image, number, seconds int64, end time.Time, change ...func(*v1alpha1.Build)) *v1alpha1.Build {
	w.t.Helper()
	build := w.build(image, number, append(change, func(b *v1alpha1.Build) { b.Finalizers = []string{controller.FinalizerMetering} })...)
	start, completion := metav1.NewTime(end.Add(-time.Duration(seconds)*time.Second)), metav1.NewTime(end)
	build.Status = v1alpha1.BuildStatus{Phase: v1alpha1.PhaseSucceeded, Reason: v1alpha1.ReasonPushed, StartTime: &start, CompletionTime: &completion}
	w.writeStatus(build)
	return build
}

func (w *world) writeStatus(build *v1alpha1.Build) {
	w.t.Helper()
	if err := w.kube.Status().Update(w.t.Context(), build); err != nil {
		w.t.Fatal(err)
	}
}

// count tells Stripe of a build, and nobody else.
func (w *world) count(build *v1alpha1.Build) {
	w.t.Helper()
	err := w.billing.ReportUsage(w.t.Context(), model.UsageReport{
		Login: w.login, BuildUID: string(build.UID), Seconds: controller.Seconds(build), FinishedAt: build.Status.CompletionTime.Time,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestLate: builds of which Stripe was told long ago, or was not, by a controller that
// never heard the answer. Stripe forgot their identifiers meanwhile, and holds each
// one's seconds once in the end, in the minute of its end.
func TestLate(t *testing.T) {
	type build struct {
		seconds int64
		after   time.Duration // of its end, from the start of the hour
		counted bool          // Stripe took it
		billed  bool          // and its status says so
		deleted bool
	}
	cases := []struct {
		reason string
		builds []build
		wait   time.Duration
		// rounds are how many builds are billed after each look, which are 2 hours apart.
		rounds []int
		lost   int64 // seconds that Stripe takes no more
	}{
		{"nothing was counted", []build{{seconds: 60}, {seconds: 30}}, 30 * time.Hour, []int{2}, 0},
		{"all was", []build{{seconds: 60, counted: true}, {seconds: 30, counted: true}}, 30 * time.Hour, []int{2}, 0},
		{"another build of the minute does not hide one", []build{{seconds: 90, counted: true, billed: true}, {seconds: 60}}, 30 * time.Hour, []int{2}, 0},
		{"nor does a deleted one", []build{{seconds: 90, counted: true, billed: true, deleted: true}, {seconds: 60}}, 30 * time.Hour, []int{1}, 0},
		{"one of two alike", []build{{seconds: 60, counted: true}, {seconds: 60}}, 30 * time.Hour, []int{1, 2}, 0},
		{"two of four", []build{{seconds: 7}, {seconds: 11, counted: true}, {seconds: 14, counted: true}, {seconds: 20}}, 30 * time.Hour, []int{2, 4}, 0},
		{"one of the same seconds in another minute of the hour", []build{{seconds: 60, counted: true}, {seconds: 60, after: 20 * time.Minute}}, 30 * time.Hour, []int{2}, 0},
		{"deleted meanwhile", []build{{seconds: 60, counted: true, deleted: true}, {seconds: 30, deleted: true, after: time.Minute}}, 30 * time.Hour, []int{0}, 0},
		{"a month later, in another billing period", []build{{seconds: 60, counted: true}, {seconds: 30, after: time.Minute}}, 34 * 24 * time.Hour, []int{2}, 0},
		{"too late: Stripe takes it no more", []build{{seconds: 60, counted: true}, {seconds: 30, after: time.Minute}}, 36 * 24 * time.Hour, []int{2}, 30},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			clock := newClock()
			w := newWorldWith(t, billingtest.Options{Now: clock.Now, MeterLag: 50 * time.Minute})
			image := w.image("app")
			hour := clock.Now()
			clock.Advance(30 * time.Minute)
			minutes, left := map[time.Time]int64{}, 0
			var made []*v1alpha1.Build
			for i, b := range c.builds {
				build := w.finished(image, int64(i+1), b.seconds, hour.Add(b.after+time.Duration(i)*time.Second))
				made = append(made, build)
				if b.counted {
					w.count(build)
				}
				if b.billed {
					build.Status.Billing = &v1alpha1.BuildBilling{Seconds: b.seconds, ReportTime: metav1.NewTime(clock.Now())}
					w.writeStatus(build)
				}
				minutes[hour.Add(b.after)] += b.seconds
				if !b.deleted {
					left++
					continue
				}
				w.delete(build)
				if b.billed { // it goes at once
					stop := w.run()
					w.eventually("the billed build is gone", func() bool { return len(w.builds()) == 0 })
					stop()
				}
			}
			clock.Advance(c.wait)
			for _, want := range c.rounds {
				stop := w.run()
				w.eventually(fmt.Sprintf("%d builds are billed, the deleted ones gone", want), func() bool {
					billed := 0
					for _, build := range w.builds() {
						if build.Status.Billing != nil {
							billed++
						}
					}
					return billed == want && len(w.builds()) == left
				})
				stop()
				clock.Advance(2 * time.Hour)
			}
			lost := c.lost
			for minute, want := range minutes {
				got := w.stripe.MeterSum(w.customer, minute, minute.Add(time.Minute))
				lost -= want - got
				if c.lost == 0 && got != want {
					t.Errorf("the meter holds %d seconds of %s, want %d", got, minute, want)
				}
			}
			if lost != 0 {
				t.Errorf("%d seconds are lost, want %d", c.lost-lost, c.lost)
			}
			if got, want := w.entered(), ledgerOf(made, func(i int) bool { return c.builds[i].deleted }); len(got) != len(want) {
				t.Errorf("the ledger has %v, want %v", got, want)
			}
		})
	}
}

// TestLateDies lets the controller die after any write while it decides about three
// builds alike, of which Stripe has one. Each is counted once in the end.
func TestLateDies(t *testing.T) {
	for writes := int64(1); writes <= 5; writes++ {
		clock := newClock()
		w := newWorldWith(t, billingtest.Options{Now: clock.Now, MeterLag: 50 * time.Minute})
		image, minute := w.image("app"), clock.Now()
		for number := range int64(3) {
			build := w.finished(image, number+1, 60, minute.Add(time.Duration(number)*time.Second))
			if number == 1 {
				w.count(build)
			}
		}
		told := func() (count int) {
			for _, build := range w.builds() {
				if build.Status.Billing != nil {
					count++
				}
			}
			return count
		}
		clock.Advance(30 * time.Hour)
		stop, died := w.runUntil(writes)
		w.eventually("the controller dies, or waits for the sums to show what it reported", func() bool {
			select {
			case <-died:
				return true
			default:
				return told() >= 2
			}
		})
		stop()
		for rounds := 0; told() < 3; rounds++ {
			if rounds > 4 {
				t.Fatalf("after write %d: %d of 3 builds are billed after %d looks", writes, told(), rounds)
			}
			clock.Advance(2 * time.Hour)
			before, stop := told(), w.run()
			w.eventually("another build is billed", func() bool { return told() > before })
			stop()
		}
		clock.Advance(2 * time.Hour)
		if got := w.stripe.MeterSum(w.customer, minute, minute.Add(time.Minute)); got != 180 {
			t.Errorf("after write %d: the meter holds %d seconds, want 180", writes, got)
		}
	}
}

func ledgerOf(builds []*v1alpha1.Build, deleted func(int) bool) map[string]int64 {
	want := map[string]int64{}
	for i, build := range builds {
		if deleted(i) {
			want[string(build.UID)] = controller.Seconds(build)
		}
	}
	return want
}

// TestClockAhead: a node's clock is ahead. The build waits until its end has come, and
// is metered at its end.
func TestClockAhead(t *testing.T) {
	clock := newClock()
	w := newWorldWith(t, billingtest.Options{Now: clock.Now})
	end := clock.Now().Add(20 * time.Minute)
	build := w.finished(w.image("app"), 1, 45, end)
	sibling := w.finished(w.image("other"), 2, 5, clock.Now())
	stop := w.run()
	w.await(sibling, "billed", billed)
	stop()
	if got := w.await(build, "there", ended); got.Status.Billing != nil {
		t.Errorf("it was billed before its end: %+v", got.Status.Billing)
	}
	clock.Advance(21 * time.Minute)
	w.run()
	w.await(build, "billed", billed)
	if got := w.stripe.MeterSum(w.customer, end, end.Add(time.Second)); got != 45 {
		t.Errorf("the meter holds %d seconds of the build's end, want 45", got)
	}
}

// TestLedger lets the controller die after any write while it lets deleted builds go:
// each is metered once and entered once, and gone.
func TestLedger(t *testing.T) {
	w := newWorld(t)
	image := w.image("app")
	want := map[string]int64{}
	for writes := int64(1); writes <= 4; writes++ {
		build := w.finished(image, writes, 10*writes, time.Now().UTC().Truncate(time.Second).Add(-time.Minute))
		want[string(build.UID)] = 10 * writes
		w.delete(build)
		stop, died := w.runUntil(writes)
		w.eventually("the build goes or the controller dies", func() bool {
			select {
			case <-died:
				return true
			default:
				return len(w.builds()) == 0
			}
		})
		stop()
		stop = w.run()
		w.eventually("the build is gone", func() bool { return len(w.builds()) == 0 })
		stop()
	}
	got := w.entered()
	if len(got) != len(want) {
		t.Errorf("the ledger has %v, want %v", got, want)
	}
	for uid, seconds := range want {
		if got[uid] != seconds {
			t.Errorf("the ledger has %d seconds of build %s, want %d", got[uid], uid, seconds)
		}
	}
	if got := w.metered(); got != 10+20+30+40 {
		t.Errorf("the meter holds %d seconds, want 100", got)
	}
}

// entered are the ledger's builds and their seconds.
func (w *world) entered() map[string]int64 {
	w.t.Helper()
	var list corev1.ConfigMapList
	if err := w.kube.List(w.t.Context(), &list, client.InNamespace(w.namespace), client.HasLabels{controller.LabelLedger}); err != nil {
		w.t.Fatal(err)
	}
	found := map[string]int64{}
	for _, page := range list.Items {
		for uid, line := range page.Data {
			var end, told string
			var seconds int64
			if _, err := fmt.Sscan(line, &end, &seconds, &told); err != nil {
				w.t.Errorf("line %q: %v", line, err)
			}
			found[uid] = seconds
		}
	}
	return found
}
