package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AnnotationPushNonce is on an Image whose pushes start builds: what the secret of its
// webhook is derived from, besides the signing keys and the Image's UID. It is no secret
// itself; another one voids the secret.
const AnnotationPushNonce = "drydock.dev/push-nonce"

// ImageTriggers say what starts builds of an image besides people.
type ImageTriggers struct {
	// Push starts a build when GitHub tells of a push to the image's branch or tag.
	//
	// +optional
	Push bool `json:"push,omitempty"`

	// Schedule starts builds at times, in UTC: a cron line of five fields, or @hourly,
	// @daily, @weekly, @monthly, @yearly.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z*/,@? -]+$`
	Schedule string `json:"schedule,omitempty"`

	// BaseImage starts a build when an image that the newest one was made from moved.
	//
	// +optional
	BaseImage bool `json:"baseImage,omitempty"`
}

// TriggersStatus is what the controller observed of an image's triggers.
type TriggersStatus struct {
	// Schedule is absent without one, and while the image is suspended.
	//
	// +optional
	Schedule *ScheduleStatus `json:"schedule,omitempty"`

	// BaseImageMessage is a sentence for people on what keeps base images from being
	// watched.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	BaseImageMessage string `json:"baseImageMessage,omitempty"`
}

// ScheduleStatus is how far a schedule was followed.
type ScheduleStatus struct {
	// Line is the schedule that this is about.
	Line string `json:"line"`

	// Since is when it was first seen: nothing before was missed.
	Since metav1.Time `json:"since"`

	// LastTime is the scheduled time of the newest run, also of one that was left out.
	//
	// +optional
	LastTime *metav1.Time `json:"lastTime,omitempty"`

	// Message is a sentence for people on why there is no run, or was none the last time.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}
