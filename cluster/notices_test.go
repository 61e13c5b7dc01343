package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/cluster"
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
