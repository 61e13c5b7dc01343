package cluster

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
)

// +kubebuilder:rbac:roleName=drydock-gateway,groups="",resources=configmaps,verbs=get

// keptLog hands out the kept lines of a build from a number on, until take has enough.
// Chunks that hold none of them are not fetched.
func (c *Client) keptLog(ctx context.Context, b *build, next int64, take func(v1alpha1.LogLine) bool) error {
	if b.log == nil || next > b.log.Lines {
		return nil
	}
	names := b.log.ConfigMaps
	for i, name := range names {
		if i+1 < len(names) && v1alpha1.LogConfigMapFirstLine(names[i+1]) <= next {
			continue
		}
		chunk := &corev1.ConfigMap{}
		err := do(ctx, c.core.Get().Namespace(v1alpha1.Namespace(b.Key.Login)).Resource("configmaps").Name(name), chunk)
		if err != nil {
			return missing(err, "The log of this build is not kept any more.")
		}
		for line, err := range v1alpha1.UnpackLog(chunk.BinaryData[v1alpha1.LogKey]) {
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
