package launch

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// Limits are what a plan allows a build of an image. A plan without builds is
// fault.LimitExceeded.
func Limits(plan *model.Plan, image *v1alpha1.Image) (limits v1alpha1.BuildLimits, err error) {
	if plan.Limits.ConcurrentBuilds < 1 || plan.Limits.BuildTimeoutSeconds < 1 {
		return limits, fault.New(fault.LimitExceeded, "Your plan allows no builds: change to a larger plan.")
	}
	limits.ConcurrentBuilds = int32(min(plan.Limits.ConcurrentBuilds, 1<<30))
	limits.TimeoutSeconds = int32(min(plan.Limits.BuildTimeoutSeconds, 1<<30))
	if own := image.Spec.TimeoutSeconds; own != nil {
		limits.TimeoutSeconds = min(limits.TimeoutSeconds, *own)
	}
	limits.BuildMinutes = plan.BuildMinutes()
	if limits.CPU, err = resource.ParseQuantity(plan.Limits.CPU); err == nil {
		limits.Memory, err = resource.ParseQuantity(plan.Limits.Memory)
	}
	if err != nil {
		return limits, fault.Wrap(fault.Internal, fmt.Errorf("limits of plan %s: %w", plan.ProductID, err))
	}
	return limits, nil
}
