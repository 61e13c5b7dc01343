package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/cluster/clustertest"
	"drydock.dev/drydock/deploy"
	"drydock.dev/drydock/fault"
)

// listener is one replica, and what it was told.
type listener struct {
	*cluster.Notices
	registry *prometheus.Registry

	mu     sync.Mutex
	heard  []string
	when   map[string]time.Time
	missed int
}

// listen is a replica that has read the log; the first miss, that of its start, is not counted.
func listen(t *testing.T, kubeconfig, namespace string) *listener {
	t.Helper()
	return listenAt(t, kubeconfig, namespace, time.Now)
}

// listenAt is listen by a clock.
func listenAt(t *testing.T, kubeconfig, namespace string, now func() time.Time) *listener {
	t.Helper()
	l := &listener{when: map[string]time.Time{}, registry: prometheus.NewRegistry()}
	var err error
	l.Notices, err = cluster.NewNotices(cluster.NoticesOptions{
		Now:        now,
		Kubeconfig: kubeconfig, Namespace: namespace, Registerer: l.registry,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Heard: func(notices []string) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.heard = append(l.heard, notices...)
			for _, notice := range notices {
				l.when[notice] = time.Now()
			}
		},
		Missed: func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.missed++
		},
	})
	must(t, err)
	t.Cleanup(l.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, l.Start(ctx))
	must(t, l.Ready())
	if l.misses() != 1 {
		t.Errorf("the start is told as %d misses, want 1", l.misses())
	}
	l.forget()
	return l
}

func (l *listener) told() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.heard)
}

func (l *listener) misses() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.missed
}

func (l *listener) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard, l.missed = nil, 0
}

// hears waits until a replica was told all of these, and checks that it was told nothing else.
func (l *listener) hears(t *testing.T, want ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%v are heard", want), func() bool { return len(l.told()) >= len(want) })
	if diff := cmp.Diff(want, l.told()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// newNamespace is one with a log of its own.
func newNamespace(t *testing.T, w *world) string {
	t.Helper()
	name := "drydock-" + newLogin()
	must(t, w.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	return name
}

// logMap is the log as it is, nil where there is none.
func logMap(t *testing.T, w *world, namespace string) *corev1.ConfigMap {
	t.Helper()
	var m corev1.ConfigMap
	err := w.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: cluster.NoticesName}, &m)
	if apierrors.IsNotFound(err) {
		return nil
	}
	must(t, err)
	return &m
}

// What one replica announces, all others hear, in order, and it does not itself.
func TestNotices(t *testing.T) {
	w := newWorld(t)
	namespace := newNamespace(t, w)
	a, b, c := listen(t, w.kubeconfig, namespace), listen(t, w.kubeconfig, namespace), listen(t, w.kubeconfig, namespace)
	must(t, a.Announce(t.Context(), nil))
	if logMap(t, w, namespace) != nil {
		t.Error("nothing to tell was written")
	}
	must(t, a.Announce(t.Context(), []string{"one", "two"}))
	must(t, b.Announce(t.Context(), []string{"three"}))
	b.hears(t, "one", "two")
	c.hears(t, "one", "two", "three")
	a.hears(t, "three")
	late := listen(t, w.kubeconfig, namespace)
	must(t, a.Announce(t.Context(), []string{"four"}))
	late.hears(t, "four")
	for _, l := range []*listener{a, b, c, late} {
		if l.misses() != 0 {
			t.Errorf("%d misses", l.misses())
		}
	}
	want := "# HELP drydock_notices_total Notices to and from other replicas, by direction: announced or heard.\n# TYPE drydock_notices_total counter\n" +
		"drydock_notices_total{direction=\"announced\"} 3\ndrydock_notices_total{direction=\"heard\"} 1\n"
	if err := testutil.GatherAndCompare(a.registry, strings.NewReader(want), "drydock_notices_total"); err != nil {
		t.Error(err)
	}
}

// An announcement reaches another replica well within a second, also in a long row, and
// also where several replicas write.
func TestNoticesAreFast(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		reason         string
		replicas, each int
	}{
		{"200 in a row by one replica", 1, 200},
		{"in a row by each of five", 5, 40},
	} {
		t.Run(c.reason, func(t *testing.T) {
			namespace := newNamespace(t, w)
			ear := listen(t, w.kubeconfig, namespace)
			var all sync.WaitGroup
			var mu sync.Mutex
			begun := map[string]time.Time{}
			for r := range c.replicas {
				mouth := listen(t, w.kubeconfig, namespace)
				all.Go(func() {
					for i := range c.each {
						notice := fmt.Sprint("customer:", r, "-", i)
						mu.Lock()
						begun[notice] = time.Now()
						mu.Unlock()
						if err := mouth.Announce(t.Context(), []string{notice}); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			row := c.replicas * c.each
			eventually(t, "all are heard", func() bool { return len(ear.told()) == row })
			var took []time.Duration
			for notice, begin := range begun {
				took = append(took, ear.when[notice].Sub(begin))
			}
			slices.Sort(took)
			p50, p99, longest := took[row/2], took[row*99/100], took[row-1]
			t.Logf("from Announce to Heard: p50 %s, p99 %s, longest %s", p50, p99, longest)
			if p99 > time.Second || ear.misses() != 0 {
				t.Errorf("p99 %s, want under a second; %d misses, want none", p99, ear.misses())
			}
		})
	}
}

// Many announcements at once, of many replicas, are written together; none is lost.
func TestNoticesTogether(t *testing.T) {
	w := newWorld(t)
	namespace := newNamespace(t, w)
	ear := listen(t, w.kubeconfig, namespace)
	const replicas, each = 6, 50
	var all sync.WaitGroup
	var want []string
	for r := range replicas {
		mouth := listen(t, w.kubeconfig, namespace)
		for i := range each {
			notice := fmt.Sprint(r, "-", i)
			want = append(want, notice)
			all.Go(func() {
				if err := mouth.Announce(t.Context(), []string{notice, "same"}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	eventually(t, "all are heard", func() bool {
		told := ear.told()
		return !slices.ContainsFunc(want, func(notice string) bool { return !slices.Contains(told, notice) })
	})
	writes := 0
	for key := range logMap(t, w, namespace).Data {
		_, number, _ := strings.Cut(key, ".")
		n, _ := strconv.Atoi(number) // of keys that are entries; they count up
		writes = max(writes, n)
	}
	t.Logf("%d announcements of each of %d replicas in at most %d writes", each, replicas, writes)
	if writes > each/4 || ear.misses() != 0 {
		t.Errorf("%d writes, want them shared; %d misses, want none", writes, ear.misses())
	}
}

// Whatever befalls the log: a replica that may have lost something knows it, and the next
// announcement is heard by all.
func TestNoticesMissed(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		reason string
		befall func(t *testing.T, log *corev1.ConfigMap)
	}{
		{"the log is deleted", func(t *testing.T, log *corev1.ConfigMap) { must(t, w.Delete(t.Context(), log)) }},
		{"it is overwritten with something else", func(t *testing.T, log *corev1.ConfigMap) {
			log.Data = map[string]string{"log": "nonsense"}
			must(t, w.Update(t.Context(), log))
		}},
		{"an entry is written over", func(t *testing.T, log *corev1.ConfigMap) {
			for key := range log.Data {
				log.Data[key] = "other"
			}
			must(t, w.Update(t.Context(), log))
		}},
		{"something else is put in", func(t *testing.T, log *corev1.ConfigMap) {
			log.Data["log"] = "nonsense"
			must(t, w.Update(t.Context(), log))
		}},
		{"it is emptied", func(t *testing.T, log *corev1.ConfigMap) {
			log.Data = nil
			must(t, w.Update(t.Context(), log))
		}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			namespace := newNamespace(t, w)
			a, b := listen(t, w.kubeconfig, namespace), listen(t, w.kubeconfig, namespace)
			must(t, a.Announce(t.Context(), []string{"before"}))
			b.hears(t, "before")
			b.forget()
			c.befall(t, logMap(t, w, namespace))
			eventually(t, "both know", func() bool { return a.misses() >= 1 && b.misses() >= 1 })
			must(t, a.Announce(t.Context(), []string{"after"}))
			b.hears(t, "after")
			if a.misses() != 1 || b.misses() != 1 {
				t.Errorf("%d and %d misses, want one each", a.misses(), b.misses())
			}
		})
	}
}

// Too much for the log at once is told as everything.
func TestNoticesTooMany(t *testing.T) {
	w := newWorld(t)
	namespace := newNamespace(t, w)
	a, b := listen(t, w.kubeconfig, namespace), listen(t, w.kubeconfig, namespace)
	var many []string
	for i := range 2000 {
		many = append(many, fmt.Sprint("customer:cus_", i))
	}
	must(t, a.Announce(t.Context(), many))
	eventually(t, "b knows that everything may have changed", func() bool { return b.misses() == 1 })
	must(t, a.Announce(t.Context(), []string{"after"}))
	b.hears(t, "after")
}

// What a replica left that is gone does not stay for ever, and is not missed.
func TestNoticesLeftBehind(t *testing.T) {
	w := newWorld(t)
	namespace := newNamespace(t, w)
	var ahead atomic.Int64
	a := listenAt(t, w.kubeconfig, namespace, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	b, gone := listen(t, w.kubeconfig, namespace), listen(t, w.kubeconfig, namespace)
	must(t, gone.Announce(t.Context(), []string{"left"}))
	a.hears(t, "left")
	gone.Close()
	wantFault(t, gone.Announce(t.Context(), []string{"late"}), fault.Unavailable)
	must(t, a.Announce(t.Context(), []string{"one"}))
	if held := len(logMap(t, w, namespace).Data); held != 2 {
		t.Errorf("the log holds %d keys, want both entries", held)
	}
	ahead.Store(int64(time.Hour))
	b.hears(t, "left", "one")
	must(t, a.Announce(t.Context(), []string{"two"}))
	b.hears(t, "left", "one", "two")
	if held := logMap(t, w, namespace).Data; len(held) != 2 || held["dropped"] == "" {
		t.Errorf("the log holds %v, want the newest entry and the mark", held)
	}
	if a.misses() != 0 || b.misses() != 0 {
		t.Errorf("%d and %d misses, want none", a.misses(), b.misses())
	}
}

// A replica that was cut off hears what it missed when it is back. Where that is more than
// the log holds, it hears it of the API server's memory, or knows that it missed something.
func TestNoticesCutOff(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		reason  string
		entries int
		mayMiss int
	}{
		{"less than the log holds", 10, 0},
		{"more than the log holds", 50, 1},
	} {
		t.Run(c.reason, func(t *testing.T) {
			namespace := newNamespace(t, w)
			a := listen(t, w.kubeconfig, namespace)
			p := newProxy(t, w)
			b := listen(t, p.kubeconfig, namespace)
			must(t, a.Announce(t.Context(), []string{"before"}))
			b.hears(t, "before")
			b.forget()
			p.set(true)
			wantFault(t, b.Announce(t.Context(), []string{"in vain"}), fault.Unavailable)
			var want []string
			for i := range c.entries {
				want = append(want, fmt.Sprint(i, strings.Repeat("x", 100)))
				must(t, a.Announce(t.Context(), want[i:]))
			}
			if held := len(logMap(t, w, namespace).Data); (held > c.entries) != (c.mayMiss == 0) {
				t.Errorf("the log holds %d entries of %d", held, c.entries)
			}
			p.set(false)
			eventually(t, "b has read on", func() bool { return len(b.told()) == c.entries || b.misses() > 0 })
			if b.misses() == 0 && !slices.Equal(want, b.told()) || b.misses() > c.mayMiss {
				t.Errorf("%d of %d were heard, %d misses", len(b.told()), c.entries, b.misses())
			}
			must(t, b.Ready())
			b.forget()
			must(t, b.Announce(t.Context(), []string{"back"}))
			a.hears(t, "back")
			must(t, a.Announce(t.Context(), []string{"after"}))
			b.hears(t, "after")
		})
	}
}

// The service accounts may do what notices and the count of replicas need, and no more.
func TestNoticesRights(t *testing.T) {
	w := newWorld(t)
	var manifests [][]byte
	for _, name := range []string{"namespace.yaml", "rbac.yaml"} {
		manifest, err := deploy.Files.ReadFile(name)
		must(t, err)
		manifests = append(manifests, manifest)
	}
	must(t, cluster.Apply(t.Context(), w.kubeconfig, manifests...))
	const namespace = "drydock-system"
	gateway, controller := w.as(t, "drydock-gateway"), w.as(t, "drydock-controller")
	for _, kubeconfig := range []string{gateway, controller} {
		if log := logMap(t, w, namespace); log != nil {
			must(t, w.Delete(t.Context(), log)) // so that each of them creates it
		}
		a, b := listen(t, kubeconfig, namespace), listen(t, w.kubeconfig, namespace)
		must(t, a.Announce(t.Context(), []string{"created"}))
		must(t, a.Announce(t.Context(), []string{"updated"}))
		b.hears(t, "created", "updated")
		must(t, b.Announce(t.Context(), []string{"heard"}))
		a.hears(t, "heard")
		count := make(chan int, 1)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- cluster.WatchReplicas(ctx, cluster.ReplicasOptions{Kubeconfig: kubeconfig, Service: "drydock-gateway", Changed: func(n int) { count <- n }})
		}()
		if n, _ := next(t, count); n != 0 {
			t.Errorf("%d replicas, want none", n)
		}
		cancel()
		must(t, <-ended)
	}
	narrow := worldOf(t, &clustertest.Cluster{Kubeconfig: gateway})
	if err := narrow.List(t.Context(), &corev1.ConfigMapList{}, client.InNamespace(namespace)); !apierrors.IsForbidden(err) {
		t.Errorf("the gateway may list all ConfigMaps: %v", err)
	}
	other := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: newLogin()}}
	must(t, w.Create(t.Context(), other))
	if err := narrow.Update(t.Context(), other); !apierrors.IsForbidden(err) {
		t.Errorf("the gateway may write other ConfigMaps: %v", err)
	}
}

// as is a kubeconfig that may do what a service account may, and no more.
func (w *world) as(t *testing.T, account string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(w.kubeconfig)
	must(t, err)
	for _, user := range config.AuthInfos {
		user.Impersonate = "system:serviceaccount:drydock-system:" + account
		user.ImpersonateGroups = []string{"system:serviceaccounts", "system:serviceaccounts:drydock-system", "system:authenticated"}
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, clientcmd.WriteToFile(*config, path))
	return path
}
