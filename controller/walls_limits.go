package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// retryPlan is how long the walls wait for a plan that billing cannot tell.
const retryPlan = 30 * time.Second

// room is what an account's builds may take at once.
type room struct {
	builds      int64
	cpu, memory resource.Quantity // of one container
	images      *int64            // nil where the plan is not known
}

// room of an account: its plan's limits as they are now, and where a build that has not
// ended was started with larger ones, those: a plan that became smaller ends no build.
func (w *walls) room(ctx context.Context, namespace *corev1.Namespace) (room, error) {
	var found room
	var builds v1alpha1.BuildList
	if err := w.List(ctx, &builds, client.InNamespace(namespace.Name), client.UnsafeDisableDeepCopy); err != nil {
		return found, err
	}
	for i := range builds.Items {
		if build := &builds.Items[i]; !build.Status.Phase.Done() {
			found.widen(build)
		}
	}
	plan, err := w.billing.AccountPlan(ctx, namespace.Annotations[v1alpha1.AnnotationLogin])
	switch {
	case err == nil:
		cpu, cpuErr := resource.ParseQuantity(plan.Limits.CPU)
		memory, memoryErr := resource.ParseQuantity(plan.Limits.Memory)
		if cpuErr != nil || memoryErr != nil {
			return found, fmt.Errorf("plan %s: %w", plan.ProductID, errors.Join(cpuErr, memoryErr))
		}
		found.images = new(int64(plan.Limits.Images))
		found.include(int64(plan.Limits.ConcurrentBuilds), cpu, memory)
	case found.builds == 0:
		return found, err
	}
	return found, nil // without billing: what its builds take
}

// widen makes room for a build, and others like it.
func (r *room) widen(build *v1alpha1.Build) {
	r.include(int64(build.Spec.Limits.ConcurrentBuilds), build.Spec.Limits.CPU, build.Spec.Limits.Memory)
}

func (r *room) include(builds int64, cpu, memory resource.Quantity) {
	r.builds = max(r.builds, builds)
	if r.cpu.Cmp(cpu) < 0 {
		r.cpu = cpu
	}
	if r.memory.Cmp(memory) < 0 {
		r.memory = memory
	}
}

// hard are the limits of the ResourceQuota. Twice what the queue gives: Kubernetes counts
// an ended pod, and one whose limits were changed by others, for a moment longer.
func (r *room) hard(strategy *corev1.PodTemplate) corev1.ResourceList {
	pods := 2 * r.builds
	containers := pods * int64(max(len(strategy.Template.Spec.Containers), 1))
	cpu, memory := r.cpu.DeepCopy(), r.memory.DeepCopy()
	cpu.Mul(containers)
	memory.Mul(containers)
	return corev1.ResourceList{
		corev1.ResourcePods:         *resource.NewQuantity(pods, resource.DecimalSI),
		corev1.ResourceLimitsCPU:    cpu,
		corev1.ResourceLimitsMemory: memory,
		corev1.ResourceServices:     *resource.NewQuantity(0, resource.DecimalSI),
	}
}

// limitRange bounds each container, and gives one that says nothing, of somebody's
// injected sidecar for instance, what a build's own gets: the quota takes none without.
func limitRange(r room) corev1.LimitRangeSpec {
	own := resources(v1alpha1.BuildLimits{CPU: r.cpu, Memory: r.memory})
	return corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
		Type: corev1.LimitTypeContainer, Max: own.Limits, Default: own.Limits, DefaultRequest: own.Requests,
	}}}
}

func sameAmounts(a, b corev1.ResourceList) bool { return equality.Semantic.DeepEqual(a, b) }
