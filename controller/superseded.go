package controller

import (
	"cmp"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
