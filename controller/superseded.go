package controller

import (
	"cmp"
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// lane is what automatic builds of one image have in common when a newer one does all that
// an older one would: what starts them and their ref.
type lane struct {
	trigger  v1alpha1.BuildTrigger
	uid, ref string
}

// laneOf is a build's lane; not ok for one that a person asked for.
func laneOf(build *v1alpha1.Build) (lane, bool) {
	trigger := build.Spec.Trigger
	automatic := trigger == v1alpha1.TriggerPush || trigger == v1alpha1.TriggerSchedule || trigger == v1alpha1.TriggerBaseImage
	return lane{trigger, build.Spec.Image.UID, build.Spec.Source.Ref}, automatic
}

// newestOf are the newest waiting builds of each lane. What started them counts, not when
// they were made: pushes may be told of out of order.
func newestOf(waiting []queued) map[lane]*v1alpha1.Build {
	newest := map[lane]*v1alpha1.Build{}
	for _, entry := range waiting {
		in, automatic := laneOf(entry.build)
		if automatic && !stopAsked(entry.build) && (newest[in] == nil || triggeredLater(entry.build, newest[in])) {
			newest[in] = entry.build
		}
	}
	return newest
}

func triggeredLater(a, b *v1alpha1.Build) bool {
	return cmp.Or(triggerTime(a).Compare(triggerTime(b).Time), cmp.Compare(a.Spec.Number, b.Spec.Number)) > 0
}

// triggerTime is when what started a build happened, as far as that is known.
func triggerTime(build *v1alpha1.Build) metav1.Time {
	if at := build.Spec.TriggerTime; at != nil {
		return *at
	}
	return build.CreationTimestamp
}

// AnnotationQueuedSince is on an automatic build that took the place of an earlier one in
// its account's queue: since when that one waited (RFC 3339). Without it, what is pushed to
// more often than the queue moves would never be built.
const AnnotationQueuedSince = "drydock.dev/queued-since"

// queuedSince is when a build, or the first of those whose place it took, joined the queue.
func queuedSince(build *v1alpha1.Build) time.Time {
	created := build.CreationTimestamp.Time
	if since, err := time.Parse(time.RFC3339, build.Annotations[AnnotationQueuedSince]); err == nil && since.Before(created) {
		return since
	}
	return created
}

// +kubebuilder:rbac:roleName=drydock-controller,groups=drydock.dev,resources=builds,verbs=patch

// inherit gives a build's place in the queue to the newest of its lane, before it ends.
func (p *pass) inherit(ctx context.Context, build *v1alpha1.Build) error {
	in, _ := laneOf(build)
	since, heir := queuedSince(build), p.newest[in]
	if !since.Before(queuedSince(heir)) {
		return nil
	}
	heir = heir.DeepCopy() // the cache's
	before := heir.DeepCopy()
	metav1.SetMetaDataAnnotation(&heir.ObjectMeta, AnnotationQueuedSince, since.UTC().Format(time.RFC3339))
	return client.IgnoreNotFound(p.Patch(ctx, heir, client.MergeFrom(before)))
}

// superseded is the verdict over a waiting build that a newer one takes the place of; nil for
// any other. The waiting one is ended and not changed, because a Build's spec is what was
// asked for, and people see what became of each push.
func (p *pass) superseded(build *v1alpha1.Build) *verdict {
	in, _ := laneOf(build)
	newer := p.newest[in]
	if newer == nil || newer.UID == build.UID {
		return nil
	}
	return &verdict{v1alpha1.PhaseCancelled, v1alpha1.ReasonSuperseded, fmt.Sprintf("Build %d, of something newer, takes its place.", newer.Spec.Number)}
}
