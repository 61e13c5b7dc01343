package cluster

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"drydock.dev/drydock/api/v1alpha1"
)

// BenchmarkReplace reads 100,000 builds of 1,000 accounts into a store, and tells what
// each one costs to hold.
func BenchmarkReplace(b *testing.B) {
	const builds = 100_000
	subscribers, err := newSubscribers(nil)
	if err != nil {
		b.Fatal(err)
	}
	at := metav1.NewTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	for b.Loop() {
		s := newStore(buildKind(nil), subscribers, time.Now)
		items := make([]any, 0, builds)
		for i := range builds {
			login := fmt.Sprint("account", i%1000)
			o := &v1alpha1.Build{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.Namespace(login), Name: fmt.Sprint("app-", i),
				UID: types.UID(fmt.Sprint(i)), ResourceVersion: fmt.Sprint(i + 1), CreationTimestamp: at}}
			o.Spec.Account = login
			o.Spec.Image = v1alpha1.ImageReference{Name: "app", UID: login}
			o.Spec.Number = int64(i)
			o.Status = v1alpha1.BuildStatus{Phase: v1alpha1.PhaseSucceeded, Reason: v1alpha1.ReasonPushed, StartTime: &at, CompletionTime: &at,
				Commit: fmt.Sprintf("%040d", i), Digest: fmt.Sprintf("sha256:%064d", i), References: []string{fmt.Sprint("registry.example.com/app:", i)}}
			reduced, err := s.reduce(o)
			if err != nil {
				b.Fatal(err)
			}
			items = append(items, reduced)
		}
		if err := s.Replace(items, fmt.Sprint(builds+1)); err != nil {
			b.Fatal(err)
		}
		clear(items) // what the store did not keep is not counted
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.HeapAlloc)/builds, "heap-B/build")
		runtime.KeepAlive(s)
	}
}
