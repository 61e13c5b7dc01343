package controller_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
)

const (
	fairPlaces, fairBuilds = 4, 300
	// fairSpread is how many more builds an account may have begun than another one that
	// waits: one that goes round, one for places whose end was not seen yet, one for what a
	// new controller knows by the second only.
	fairSpread = 3
)

// TestFair: thirty accounts queue three hundred builds, one account after the other, some
// of them five times as many as others, on four places. The controller is killed in the
// middle. Places go round, no plan and no place is exceeded, all builds end well, and
// Stripe holds each second of them.
func TestFair(t *testing.T) {
	w := newWorld(t)
	w.shellStrategy("fair", `
printf '{"digest":"sha256:%064d","tags":["%s"]}' 1 "$DRYDOCK_TAGS" >"$TERMINATION_LOG_PATH"
`)
	binary := program(t, "../cmd/controller")
	f := &fairness{t: t, accounts: map[string]*fairAccount{}, done: make(chan struct{})}
	var worlds []*world
	for i := range 30 {
		account := w
		if i > 0 {
			other := *w
			account = &other
			account.newAccount()
		}
		worlds = append(worlds, account)
		f.accounts[account.namespace] = &fairAccount{login: account.login, plan: i%3 + 1, state: map[string]v1alpha1.BuildPhase{}}
	}
	watcher, err := w.kube.Watch(t.Context(), &v1alpha1.BuildList{})
	if err != nil {
		t.Fatal(err)
	}
	half := make(chan struct{})
	go f.follow(watcher, half)
	for i, account := range worlds {
		image, builds := account.image("app"), 6
		if i < 5 {
			builds = 30
		}
		for n := range int64(builds) {
			account.build(image, n+1, func(b *v1alpha1.Build) {
				b.Spec.Limits.ConcurrentBuilds = int32(f.accounts[account.namespace].plan)
				b.Spec.Limits.CPU.SetMilli(100)
			})
		}
	}
	began := time.Now()
	flags := []string{"--strategy", "fair", "--leader-elect=false", "--max-builds", fmt.Sprint(fairPlaces)}
	first := w.launchBinary(binary, flags...)
	f.wait(half)
	first.kill()
	w.launchBinary(binary, flags...)
	f.wait(f.done)
	watcher.Stop()
	f.tell(time.Since(began))
	for _, account := range worlds {
		for _, build := range account.builds() {
			if build.Status.Phase != v1alpha1.PhaseSucceeded {
				t.Errorf("%s: build %s: %+v", account.login, build.Name, build.Status)
			}
		}
		account.metersAll()
	}
}

// metersAll checks that Stripe holds the account's builds, each one's seconds once.
func (w *world) metersAll() {
	w.t.Helper()
	var sum int64
	for _, build := range w.builds() {
		sum += controller.Seconds(w.await(&build, "billed", billed))
	}
	if got := w.metered(); got != sum {
		w.t.Errorf("%s: Stripe holds %d seconds, the builds took %d", w.login, got, sum)
	}
}

// shellStrategy installs a strategy that runs a script, until the test ends.
func (w *world) shellStrategy(name, script string) {
	w.t.Helper()
	strategy := &corev1.PodTemplate{ObjectMeta: metav1.ObjectMeta{
		Namespace: v1alpha1.SystemNamespace, Name: name, Labels: map[string]string{v1alpha1.LabelStrategy: name},
	}}
	strategy.Template.Spec.Containers = []corev1.Container{{Name: "build", Image: "none", Command: []string{"sh", "-c", script}}}
	w.create(strategy)
	w.t.Cleanup(func() {
		if err := w.kube.Delete(context.Background(), strategy); err != nil {
			w.t.Error(err)
		}
	})
}

// fairness is what a witness of all builds, in the order of their writes, sees of shares.
type fairness struct {
	t        *testing.T
	accounts map[string]*fairAccount // by namespace
	most     int                     // that held places at once
	spread   int                     // between accounts that wait, at most
	waits    []time.Duration         // between two starts of an account that waits
	done     chan struct{}
}

type fairAccount struct {
	login                          string
	plan                           int
	state                          map[string]v1alpha1.BuildPhase // by build
	running, waiting, begun, ended int
	last                           time.Time // a build began
}

func (f *fairness) wait(what chan struct{}) {
	f.t.Helper()
	select {
	case <-what:
	case <-time.After(8 * time.Minute):
		f.t.Fatal("the builds have not ended after eight minutes")
	}
}

// follow sees every write; half is closed when half of the builds have ended.
func (f *fairness) follow(watcher watch.Interface, half chan struct{}) {
	defer close(f.done)
	for event := range watcher.ResultChan() {
		build, is := event.Object.(*v1alpha1.Build)
		if !is || f.accounts[build.Namespace] == nil || event.Type == watch.Bookmark {
			continue
		}
		f.see(f.accounts[build.Namespace], build)
		ended := 0
		for _, account := range f.accounts {
			ended += account.ended
		}
		if ended*2 >= fairBuilds && half != nil {
			close(half)
			half = nil
		}
		if ended == fairBuilds {
			return
		}
	}
}

// see takes one write into account, and checks the shares where a build begins.
func (f *fairness) see(account *fairAccount, build *v1alpha1.Build) {
	before, known := account.state[build.Name]
	now := build.Status.Phase
	if now == "" {
		now = v1alpha1.PhaseQueued
	}
	account.state[build.Name] = now
	if known && before == now {
		return
	}
	switch {
	case !known:
		account.waiting++
	case now == v1alpha1.PhaseRunning:
		account.waiting, account.running, account.begun = account.waiting-1, account.running+1, account.begun+1
		f.check(account, build.Name)
		if !account.last.IsZero() {
			f.waits = append(f.waits, time.Since(account.last))
		}
		account.last = time.Now()
	case before == v1alpha1.PhaseRunning:
		account.running, account.ended = account.running-1, account.ended+1
	default:
		f.t.Errorf("%s: build %s went from %s to %s", account.login, build.Name, before, now)
	}
}

// check holds the shares as one build begins.
func (f *fairness) check(account *fairAccount, build string) {
	running, idle, least := 0, 0, account.begun
	for _, other := range f.accounts {
		running += other.running
		if other.waiting > 0 && other.running == 0 {
			idle++
			least = min(least, other.begun)
		}
	}
	f.most = max(f.most, running)
	if running > fairPlaces {
		f.t.Errorf("%d builds run as %s of %s begins: there are %d places", running, build, account.login, fairPlaces)
	}
	if account.running > account.plan {
		f.t.Errorf("%s runs %d builds, its plan allows %d", account.login, account.running, account.plan)
	}
	// Of as many as there are places the end of a build may not have been heard of.
	if idle <= fairPlaces {
		return
	}
	if account.running > 1 {
		f.t.Errorf("%s runs %d builds, and %d accounts that run none wait", account.login, account.running, idle)
	}
	f.spread = max(f.spread, account.begun-least)
	if account.begun-least > fairSpread {
		f.t.Errorf("%s begins its build number %d, another one that waits its number %d", account.login, account.begun, least+1)
	}
}

// tell logs the figures.
func (f *fairness) tell(took time.Duration) {
	slices.Sort(f.waits)
	at := func(part float64) time.Duration {
		return f.waits[int(float64(len(f.waits)-1)*part)].Round(time.Millisecond)
	}
	f.t.Logf("%d builds of %d accounts on %d places in %s: %d ran at once at most; among accounts that waited one had begun at most %d builds more than another",
		fairBuilds, len(f.accounts), fairPlaces, took.Round(time.Second), f.most, f.spread)
	f.t.Logf("between two builds of one account: half within %s, nine tenths within %s, all within %s", at(.5), at(.9), at(1))
	if f.most != fairPlaces {
		f.t.Errorf("at most %d builds ran at once, there are %d places", f.most, fairPlaces)
	}
}

// TestClusterFull: a build that waits for a place says so; one whose account's pod finds
// no node waits for that, and nobody else does.
func TestClusterFull(t *testing.T) {
	w := newWorld(t)
	w.shellStrategy("full", `printf '{"digest":"sha256:%064d","tags":["%s"]}' 1 "$DRYDOCK_TAGS" >"$TERMINATION_LOG_PATH"`)
	w.run(func(o *controller.Options) { o.Strategy = "full" })
	huge := w.build(w.image("huge"), 1, func(b *v1alpha1.Build) { b.Spec.Limits.Memory.Set(1 << 50) })
	w.await(huge, "without a node", func(b *v1alpha1.Build) bool {
		return b.Status.Reason == v1alpha1.ReasonPending && strings.Contains(b.Status.Message, "nodes are available")
	})
	behind := w.build(w.image("small"), 1)
	w.await(behind, "waiting for room", func(b *v1alpha1.Build) bool {
		return b.Status.Reason == v1alpha1.ReasonClusterFull && strings.Contains(b.Status.Message, "Waits until the cluster has room")
	})
	other := *w
	other.newAccount()
	other.await(other.build(other.image("app"), 1), "ended", ended)
	w.cancel(huge)
	for build, want := range map[*v1alpha1.Build]v1alpha1.BuildPhase{huge: v1alpha1.PhaseCancelled, behind: v1alpha1.PhaseSucceeded} {
		if status := w.await(build, "ended", ended).Status; status.Phase != want {
			t.Errorf("%s: %+v", build.Name, status)
		}
	}
	w.settled()
}
