package controller

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// imagesWallName is the name of the ResourceQuota of an account's images. It is one of
	// its own: where Kubernetes cannot count images, pods are still counted.
	imagesWallName = "drydock-images"
	// countedImages is what such a quota counts.
	// https://kubernetes.io/docs/concepts/policy/resource-quotas/#quota-on-object-count
	countedImages corev1.ResourceName = "count/images.drydock.dev"
	// retryCounting is between two looks at whether images are counted.
	retryCounting = 5 * time.Second
)

// counting tells whether the cluster counts images. It begins to within a minute after the
// CRD was installed; a quota from before would keep every image out until it is looked at
// again. The installation's own namespace, where no image belongs, shows it.
type counting struct {
	client.Client
	live      client.Reader
	namespace string
	now       func() time.Time

	mu    sync.Mutex
	known bool
	asked time.Time
}

// images makes the quota of an account's images be as its plan says. It tells when to
// look again; 0 for never.
func (w *walls) images(ctx context.Context, namespace *corev1.Namespace, limit *int64) (again time.Duration, err error) {
	if limit == nil {
		return 0, nil // the plan is not known: it stays as it is
	}
	counted, err := w.counting.begun(ctx)
	if err != nil || !counted {
		return retryCounting, err
	}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: imagesWallName}}
	return 0, w.keep(ctx, namespace, quota, func() { quota.Spec = imageQuota(*limit) })
}

func imageQuota(limit int64) corev1.ResourceQuotaSpec {
	return corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{countedImages: *resource.NewQuantity(limit, resource.DecimalSI)}}
}

// begun is asked by all accounts, and asks the API server now and then until it has.
// Kubernetes: GET of one ResourceQuota, POST where it is missing.
func (c *counting) begun(ctx context.Context) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known || c.now().Sub(c.asked) < retryCounting {
		return c.known, nil
	}
	c.asked = c.now()
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: imagesWallName}}
	err := c.live.Get(ctx, keyOf(quota), quota)
	if apierrors.IsNotFound(err) {
		quota.Spec = imageQuota(0)
		err = c.Create(ctx, quota)
	}
	if err != nil {
		return false, err
	}
	_, c.known = quota.Status.Used[countedImages]
	return c.known, nil
}
