package cluster_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// TestQuotaKeepsTheLimit: with the quota that the controller keeps, replicas that create at
// the same moment pass no limit, the same mutation again is still known, and what was
// deleted makes room at once.
func TestQuotaKeepsTheLimit(t *testing.T) {
	const limit, tries = 2, 8
	w := newWorld(t)
	replicas := []*cluster.Client{w.connect(t, nil), w.connect(t, nil)}
	owner := model.Owner{Login: newLogin()}
	namespace := v1alpha1.Namespace(owner.Login)
	must(t, w.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace,
		Annotations: map[string]string{v1alpha1.AnnotationLogin: owner.Login}}}))
	w.countImages(t, namespace, limit)

	var group sync.WaitGroup
	failures := make([]error, tries)
	for n := range tries {
		group.Go(func() {
			_, failures[n] = replicas[n%2].CreateImage(t.Context(), owner, mutation(n), limit)
		})
	}
	group.Wait()
	var made []int
	for n, err := range failures {
		if err == nil {
			made = append(made, n)
			continue
		}
		wantFault(t, err, fault.LimitExceeded)
	}
	if len(made) != limit {
		t.Fatalf("%d images were created, the plan allows %d", len(made), limit)
	}
	for _, replica := range replicas {
		if _, err := replica.CreateImage(t.Context(), owner, mutation(made[0]), limit); err != nil {
			t.Errorf("the same mutation again, at the limit: %v", err)
		}
	}
	gone := model.Key{Login: owner.Login, Name: mutation(made[0]).Name}
	must(t, replicas[0].DeleteImage(t.Context(), gone, ""))
	eventually(t, "the other one may be created", func() bool {
		_, err := replicas[0].CreateImage(t.Context(), owner, mutation(tries), limit)
		return err == nil
	})
}

func mutation(n int) model.CreateImageInput {
	in := input(fmt.Sprintf("app-%d", n))
	in.ClientMutationID = new(fmt.Sprint(n))
	return in
}

// countImages holds a namespace to so many images. Kubernetes begins to count a kind half
// a minute after its CRD was installed, at most, and looks at a quota from before later still.
func (w *world) countImages(t *testing.T, namespace string, limit int64) {
	t.Helper()
	const counted corev1.ResourceName = "count/images.drydock.dev"
	for deadline := time.Now().Add(2 * time.Minute); ; {
		quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "drydock-images"}}
		quota.Spec.Hard = corev1.ResourceList{counted: *resource.NewQuantity(limit, resource.DecimalSI)}
		must(t, w.Create(t.Context(), quota))
		for range 20 {
			must(t, w.Get(t.Context(), client.ObjectKeyFromObject(quota), quota))
			if _, is := quota.Status.Used[counted]; is {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		if time.Now().After(deadline) {
			t.Fatal("the cluster does not count images")
		}
		must(t, w.Delete(t.Context(), quota))
	}
}
