package controller

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// eventSource is the reportingController of Events.
const eventSource = "drydock-controller"

// +kubebuilder:rbac:roleName=drydock-controller,groups=events.k8s.io,resources=events,verbs=create

// teller writes Kubernetes Events (events.k8s.io/v1) for who looks with kubectl. They
// are sent behind what happens, and may get lost: nothing is decided by them.
type teller struct{ recorder events.EventRecorder }

// moved tells that a build waits, or that it was started; before is the phase that it had.
func (t teller) moved(build *v1alpha1.Build, before v1alpha1.BuildPhase) {
	switch build.Status.Phase {
	case before:
	case v1alpha1.PhaseQueued:
		t.tell(build, nil, corev1.EventTypeNormal, "Queued", "Queue", build.Status.Message)
	case v1alpha1.PhaseRunning:
		t.tell(build, nil, corev1.EventTypeNormal, "Started", "Start", "The build's Job was made.")
	}
}

// ended tells how a build ended, of the build and of its image.
func (t teller) ended(build *v1alpha1.Build) {
	kind := corev1.EventTypeNormal
	if build.Status.Phase == v1alpha1.PhaseFailed {
		kind = corev1.EventTypeWarning
	}
	t.tell(build, nil, kind, build.Status.Reason, "End", build.Status.Message)
	t.tell(imageNamed(build), build, kind, "Build"+string(build.Status.Phase), "Build",
		fmt.Sprintf("Build %d: %s", build.Spec.Number, build.Status.Message))
}

// imageNamed is the image of a build, as far as an Event's reference needs it.
func imageNamed(build *v1alpha1.Build) *v1alpha1.Image {
	return &v1alpha1.Image{ObjectMeta: metav1.ObjectMeta{
		Namespace: build.Namespace, Name: build.Spec.Image.Name, UID: types.UID(build.Spec.Image.UID),
	}}
}

// tell writes an Event about an object, and about a second one where that is not nil.
// The reason and the action are CamelCase words, the note is a sentence for people.
func (t teller) tell(about, related client.Object, kind, reason, action, note string) {
	if t.recorder == nil { // who opens the books alone
		return
	}
	if related == nil {
		t.recorder.Eventf(about, nil, kind, reason, action, "%s", clip(note))
		return
	}
	t.recorder.Eventf(about, related, kind, reason, action, "%s", clip(note))
}
