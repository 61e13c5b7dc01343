package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// ImageSpec says what to build and where to push it.
type ImageSpec struct {
	Recipe `json:",inline"`

	// Timeout ends a build that runs longer; it can only lower the plan's limit.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="must be from 10s to 24h"
	Timeout Duration `json:"timeout,omitempty"`

	// Triggers start builds besides people.
	//
	// +optional
	Triggers v1alpha1.ImageTriggers `json:"triggers,omitzero"`

	// Suspended images start no build.
	//
	// +optional
	Suspended bool `json:"suspended,omitempty"`

	v1alpha1.Signals `json:",inline"`
}

// Image is an image definition: a git source, a Dockerfile, a registry to push to.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:unservedversion
// +kubebuilder:resource:shortName=img,categories=drydock
// +kubebuilder:selectablefield:JSONPath=`.spec.output.repository`
// +kubebuilder:selectablefield:JSONPath=`.spec.suspended`
// +kubebuilder:printcolumn:name="Output",type=string,JSONPath=`.spec.output.repository`
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

	Spec   ImageSpec            `json:"spec"`
	Status v1alpha1.ImageStatus `json:"status,omitempty"`
}

// ImageList is a list of images.
//
// +kubebuilder:object:root=true
type ImageList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Image `json:"items"`
}
