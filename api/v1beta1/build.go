package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"drydock.dev/drydock/api/v1alpha1"
)

// BuildSpec is a snapshot of the image and of the plan's limits as of the start.
type BuildSpec struct {
	// Account is the login of the account that pays for the build.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Account string `json:"account"`

	// Customer is the account at Stripe: its meter counts the build, whoever has the
	// login later. Where absent it is the login's of the build's end.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_]+$`
	Customer string `json:"customer,omitempty"`

	// Image is the image that the build is of.
	Image v1alpha1.ImageReference `json:"image"`

	// Number counts up within the image.
	//
	// +kubebuilder:validation:Minimum=1
	Number int64 `json:"number"`

	// +kubebuilder:default=Manual
	Trigger v1alpha1.BuildTrigger `json:"trigger,omitempty"`

	// TriggeredBy says in a line for people what started the build: who pushed what, the
	// schedule, which base image moved.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=300
	TriggeredBy string `json:"triggeredBy,omitempty"`

	// TriggerTime is when that happened: the push, the scheduled time.
	//
	// +optional
	TriggerTime *metav1.Time `json:"triggerTime,omitempty"`

	// Commit is built where it was known at the start; source.ref, which need not lead to
	// it any more, then only names its branch or tag.
	//
	// +optional
	// +kubebuilder:validation:Pattern=`^([0-9a-f]{40}|[0-9a-f]{64})$`
	Commit string `json:"commit,omitempty"`

	Recipe `json:",inline"`

	Limits v1alpha1.BuildLimits `json:"limits"`
}

// Build is one run of an image definition.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:unservedversion
// +kubebuilder:resource:shortName=bld,categories=drydock
// +kubebuilder:selectablefield:JSONPath=`.spec.account`
// +kubebuilder:selectablefield:JSONPath=`.spec.image.name`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
// +kubebuilder:selectablefield:JSONPath=`.spec.trigger`
// +kubebuilder:printcolumn:name="Image",type=string,JSONPath=`.spec.image.name`
// +kubebuilder:printcolumn:name="Number",type=integer,JSONPath=`.spec.number`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.reason`
// +kubebuilder:printcolumn:name="Commit",type=string,priority=1,JSONPath=`.status.commit`
// +kubebuilder:printcolumn:name="Digest",type=string,priority=1,JSONPath=`.status.digest`
// +kubebuilder:printcolumn:name="Billed",type=integer,JSONPath=`.status.billing.seconds`
// +kubebuilder:printcolumn:name="Started",type=date,JSONPath=`.status.startTime`
// +kubebuilder:printcolumn:name="Finished",type=date,JSONPath=`.status.completionTime`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 63",message="metadata.name must be a DNS label: lower case letters, digits and '-', at most 63"
type Build struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a Build's spec is immutable: start another build instead"
	Spec   BuildSpec            `json:"spec"`
	Status v1alpha1.BuildStatus `json:"status,omitempty"`
}

// BuildList is a list of builds.
//
// +kubebuilder:object:root=true
type BuildList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Build `json:"items"`
}
