package cluster_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Announcements reach another replica, none is missed, also in a long row, and also where
// several replicas write. How long that takes is told.
func TestNoticesArrive(t *testing.T) {
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
			if ear.misses() != 0 {
				t.Errorf("%d misses, want none", ear.misses())
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
