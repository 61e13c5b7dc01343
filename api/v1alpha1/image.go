package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ImageSpec says what to build and where to push it.
type ImageSpec struct {
	Recipe `json:",inline"`

	// TimeoutSeconds ends a build that runs longer; it can only lower the plan's limit.
	//
	// +optional
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=86400
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`

	// Triggers start builds besides people.
	//
	// +optional
	Triggers ImageTriggers `json:"triggers,omitzero"`

	// Suspended images start no build.
	//
	// +optional
	Suspended bool `json:"suspended,omitempty"`

	Signals `json:",inline"`
}

// ImageStatus is what was observed of an image.
type ImageStatus struct {
	// LastBuildNumber is the highest number handed out to a build of this image.
	// Whoever starts a build raises it, under the object's resource version.
	//
	// +optional
	LastBuildNumber int64 `json:"lastBuildNumber,omitempty"`

	// LatestBuild is the newest build; the controller keeps it.
	//
	// +optional
	LatestBuild *LatestBuild `json:"latestBuild,omitempty"`

	// Triggers tells how those of the image are doing; the controller keeps it.
	//
	// +optional
	Triggers *TriggersStatus `json:"triggers,omitempty"`
}

// LatestBuild tells how the newest build of an image is doing.
type LatestBuild struct {
	Name   string `json:"name"`
	Number int64  `json:"number"`

	// +optional
	Phase BuildPhase `json:"phase,omitempty"`

	// +optional
	CreationTime metav1.Time `json:"creationTime,omitempty"`

	// +optional
	Digest string `json:"digest,omitempty"`
}

// Image is an image definition: a git source, a Dockerfile, a registry to push to.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:storageversion
// +kubebuilder:resource:shortName=img,categories=drydock
// +kubebuilder:selectablefield:JSONPath=`.spec.destination`
// +kubebuilder:selectablefield:JSONPath=`.spec.suspended`
// +kubebuilder:printcolumn:name="Destination",type=string,JSONPath=`.spec.destination`
// +kubebuilder:printcolumn:name="Latest",type=integer,JSONPath=`.status.latestBuild.number`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.latestBuild.phase`
// +kubebuilder:printcolumn:name="Digest",type=string,priority=1,JSONPath=`.status.latestBuild.digest`
// +kubebuilder:printcolumn:name="Repository",type=string,priority=1,JSONPath=`.spec.source.repository`
// +kubebuilder:printcolumn:name="Suspended",type=boolean,JSONPath=`.spec.suspended`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 63",message="metadata.name must be a DNS label: lower case letters, digits and '-', at most 63"
type Image struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ImageSpec   `json:"spec"`
	Status ImageStatus `json:"status,omitempty"`
}

// ImageList is a list of images.
//
// +kubebuilder:object:root=true
type ImageList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Image `json:"items"`
}
