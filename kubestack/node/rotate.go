package node

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// rotation says when a container's log begins another file: the kubelet's settings
// containerLogMaxSize and containerLogMonitorInterval.
type rotation struct {
	size  int64
	every time.Duration
}

// The annotations by which a pod's logs are rotated otherwise than by the kubelet's defaults.
const (
	annotationLogSize  = "kubestack.drydock.dev/container-log-max-size"
	annotationLogEvery = "kubestack.drydock.dev/container-log-monitor-interval"
)

func rotationOf(pod *corev1.Pod) rotation {
	r := rotation{size: 10 << 20, every: 10 * time.Second}
	if size, err := resource.ParseQuantity(pod.Annotations[annotationLogSize]); err == nil {
		r.size = size.Value()
	}
	if every, err := time.ParseDuration(pod.Annotations[annotationLogEvery]); err == nil {
		r.every = every
	}
	return r
}
