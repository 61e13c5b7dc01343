package cluster

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/prometheus/client_golang/prometheus"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cache"
	"drydock.dev/drydock/fault"
)

// chunk is a piece of a kept log, still packed.
type chunk struct {
	container string
	data      []byte
}

// lines unpacks all of a chunk.
func (c *chunk) lines() (lines []v1alpha1.LogLine, err error) {
	for line, err := range v1alpha1.UnpackLog(c.data) {
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// chunksKept are in memory at most, of 100 kB usually.
const chunksKept = 64

func newChunks(registerer prometheus.Registerer) (*cache.Cache[*chunk], error) {
	metrics, err := cache.NewMetrics(registerer)
	if err != nil {
		return nil, err
	}
	return cache.New[*chunk](cache.Options{Name: "log_chunks", Capacity: chunksKept, TTL: 10 * time.Minute, Metrics: metrics})
}

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=configmaps,verbs=get

// chunk fetches the piece of a build's kept log with an index: one that is sealed, as all
// but a running build's newest are, from memory where it was read before.
// Kubernetes: GET of a ConfigMap, or nothing.
func (c *Client) chunk(ctx context.Context, b *build, index int) (*chunk, error) {
	namespace, name := v1alpha1.Namespace(b.Key.Login), b.log.ConfigMaps[index]
	load := func(ctx context.Context) (*chunk, error) {
		object := &corev1.ConfigMap{}
		if err := do(ctx, c.core.Get().Namespace(namespace).Resource("configmaps").Name(name), object); err != nil {
			return nil, missing(err, "The log of this build is not kept any more.")
		}
		return &chunk{container: object.Annotations[v1alpha1.AnnotationLogContainer], data: object.BinaryData[v1alpha1.LogKey]}, nil
	}
	if index == len(b.log.ConfigMaps)-1 && !b.Phase.Done() {
		return load(ctx)
	}
	return c.chunks.Get(ctx, b.path()+" "+b.QueuedAt.Format(time.RFC3339)+" "+name, load)
}

// keptLog hands out the kept lines of a build from a number on, until take has enough.
// Chunks that hold none of them are not fetched.
func (c *Client) keptLog(ctx context.Context, b *build, next int64, take func(v1alpha1.LogLine) bool) error {
	if b.log == nil || next > b.log.Lines {
		return nil
	}
	names := b.log.ConfigMaps
	for i := range names {
		if i+1 < len(names) && v1alpha1.LogConfigMapFirstLine(names[i+1]) <= next {
			continue
		}
		chunk, err := c.chunk(ctx, b, i)
		if fault.KindOf(err) == fault.NotFound && !b.Phase.Done() {
			continue // just dropped: it is beyond the bounds
		}
		if err != nil {
			return err
		}
		for line, err := range v1alpha1.UnpackLog(chunk.data) {
			if err != nil {
				return fault.Wrap(fault.Internal, err)
			}
			if line.Number >= next && !take(line) {
				return nil
			}
		}
	}
	return nil
}
