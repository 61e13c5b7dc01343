package controller

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"drydock.dev/drydock/api/v1alpha1"
)

// occupied are the places that builds hold, by their UIDs, as the API server knows them, past
// the cache.
type occupied struct {
	// running are the namespaces of builds that run.
	running map[types.UID]string
	// made is when Jobs were made, those of ended builds included.
	made map[types.UID]*metav1.Time
}

// occupied reads the places of an account, or of all.
// Kubernetes: LIST of running Builds, LIST of Jobs, of both the metadata alone.
func (q *queue) occupied(ctx context.Context, where ...client.ListOption) (occupied, error) {
	found := occupied{running: map[types.UID]string{}, made: map[types.UID]*metav1.Time{}}
	builds, jobs := metav1.PartialObjectMetadataList{}, metav1.PartialObjectMetadataList{}
	builds.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("BuildList"))
	jobs.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("JobList"))
	if err := q.live.List(ctx, &builds, append(where, client.MatchingFields{"status.phase": string(v1alpha1.PhaseRunning)})...); err != nil {
		return found, err
	}
	if err := q.live.List(ctx, &jobs, append(where, client.HasLabels{v1alpha1.LabelBuild})...); err != nil {
		return found, err
	}
	for _, build := range builds.Items {
		found.running[build.UID] = build.Namespace
	}
	for _, job := range jobs.Items {
		if owner := metav1.GetControllerOf(&job); owner != nil {
			found.made[owner.UID] = &job.CreationTimestamp
		}
	}
	return found, nil
}

// begin tells places, once, what there was before this process led.
func (q *queue) begin(ctx context.Context) error {
	q.begun.Lock()
	defer q.begun.Unlock()
	if q.known {
		return nil
	}
	occupied, err := q.occupied(ctx)
	if err != nil {
		return fmt.Errorf("which builds run: %w", err)
	}
	var builds v1alpha1.BuildList
	if err := q.List(ctx, &builds, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	accounts := map[string]*share{}
	of := func(namespace string) *share {
		if accounts[namespace] == nil {
			accounts[namespace] = &share{}
		}
		return accounts[namespace]
	}
	for _, namespace := range occupied.running {
		of(namespace).running++
	}
	for i := range builds.Items {
		build := &builds.Items[i]
		s, start := of(build.Namespace), build.Status.StartTime
		if start != nil {
			s.served = later(s.served, start.Time)
		}
		if _, runs := occupied.running[build.UID]; runs || !waits(build) {
			continue
		}
		if occupied.made[build.UID] != nil {
			s.running++
		} else {
			s.unseen = true
		}
	}
	q.places.restore(accounts)
	q.known = true
	return nil
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds,verbs=get

// stillWaits is a build as it is now, nil where it waits no more.
func (q *queue) stillWaits(ctx context.Context, cached *v1alpha1.Build) (*v1alpha1.Build, error) {
	var build v1alpha1.Build
	if err := q.live.Get(ctx, keyOf(cached), &build); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	if build.UID != cached.UID || !waits(&build) || stopAsked(&build) {
		return nil, nil
	}
	return &build, nil
}

// turn asks for a place; words say what the build waits for where there is none.
func (p *pass) turn(ctx context.Context, build *v1alpha1.Build) (words string, err error) {
	var pods corev1.PodList
	if err := p.List(ctx, &pods, client.InNamespace(build.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return "", err
	}
	for i := range pods.Items {
		// The others' first builds come before this account's next one.
		if roomless(&pods.Items[i]) {
			return "Waits until the cluster has room: an earlier build of the account finds no node yet.", nil
		}
	}
	p.ready = !p.places.take(build.Namespace, build.CreationTimestamp.Time)
	if p.ready {
		words = fmt.Sprintf("Waits for one of the %d places of this installation: they go round among the accounts that wait, one build each.", p.places.most)
	}
	return words, nil
}

// roomless tells whether the scheduler found no node for a pod.
func roomless(pod *corev1.Pod) bool {
	if podEnded(pod) || !pod.DeletionTimestamp.IsZero() {
		return false
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled {
			return condition.Status == corev1.ConditionFalse && condition.Reason == corev1.PodReasonUnschedulable
		}
	}
	return false
}

// roomNews are events of pods that found a node, or look for none any more.
var roomNews = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return roomless(e.ObjectOld.(*corev1.Pod)) && !roomless(e.ObjectNew.(*corev1.Pod))
	},
	DeleteFunc: func(e event.DeleteEvent) bool { return roomless(e.Object.(*corev1.Pod)) },
}
