package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BuildTrigger is what started a build.
//
// +kubebuilder:validation:Enum=Manual;Push;Schedule;BaseImage;Retry
type BuildTrigger string

// The triggers of a build.
const (
	TriggerManual    BuildTrigger = "Manual"
	TriggerPush      BuildTrigger = "Push"
	TriggerSchedule  BuildTrigger = "Schedule"
	TriggerBaseImage BuildTrigger = "BaseImage"
	TriggerRetry     BuildTrigger = "Retry"
)

// BuildPhase is where a build is. Succeeded, Failed and Cancelled are final.
//
// +kubebuilder:validation:Enum=Queued;Running;Succeeded;Failed;Cancelled
type BuildPhase string

// The phases of a build.
const (
	PhaseQueued    BuildPhase = "Queued"
	PhaseRunning   BuildPhase = "Running"
	PhaseSucceeded BuildPhase = "Succeeded"
	PhaseFailed    BuildPhase = "Failed"
	PhaseCancelled BuildPhase = "Cancelled"
)

// Done tells whether the phase is final.
func (p BuildPhase) Done() bool {
	return p == PhaseSucceeded || p == PhaseFailed || p == PhaseCancelled
}

// ConditionSucceeded is the type of a Build's one condition: Unknown while the
// build is queued or runs, then True or False.
const ConditionSucceeded = "Succeeded"

// MaxTriggeredBy bounds spec.triggeredBy, in characters.
const MaxTriggeredBy = 300

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
	Image ImageReference `json:"image"`

	// Number counts up within the image.
	//
	// +kubebuilder:validation:Minimum=1
	Number int64 `json:"number"`

	// +kubebuilder:default=Manual
	Trigger BuildTrigger `json:"trigger,omitempty"`

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

	Limits BuildLimits `json:"limits"`
}

// ImageReference names one image, and that very one: a later image of the same
// name has another UID.
type ImageReference struct {
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid"`
}

// BuildLimits are the account's plan limits as of the build's start.
type BuildLimits struct {
	// ConcurrentBuilds of the account that may run at once.
	//
	// +kubebuilder:validation:Minimum=1
	ConcurrentBuilds int32 `json:"concurrentBuilds"`

	// BuildMinutes that the account may use in its billing period, included and
	// paid; no limit where absent.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	BuildMinutes *int64 `json:"buildMinutes,omitempty"`

	// TimeoutSeconds after which the build is ended.
	//
	// +kubebuilder:validation:Minimum=1
	TimeoutSeconds int32 `json:"timeoutSeconds"`

	CPU    resource.Quantity `json:"cpu"`
	Memory resource.Quantity `json:"memory"`
}

// BuildStatus is what the controller observed of a build. The controller alone writes it.
type BuildStatus struct {
	// +optional
	Phase BuildPhase `json:"phase,omitempty"`

	// Reason is one CamelCase word, see the Reason constants.
	//
	// +optional
	Reason string `json:"reason,omitempty"`

	// Message is a sentence for people.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Message string `json:"message,omitempty"`

	// StartTime is when the build's first container started; until then, when its Job
	// was made. Absent while it is queued, and of a build that ended before it ran.
	//
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// CompletionTime is when the build ended.
	//
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// Commit that was built: 40 hexadecimal digits (64 for SHA-256 repositories).
	//
	// +optional
	Commit string `json:"commit,omitempty"`

	// Digest of the pushed manifest or index: sha256:...
	//
	// +optional
	Digest string `json:"digest,omitempty"`

	// References that were pushed, destination:tag.
	//
	// +optional
	References []string `json:"references,omitempty"`

	// Bases are the images that it was made from, where the build strategy tells them.
	//
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	Bases []BaseImage `json:"bases,omitempty"`

	// Log says where the kept log is; absent until it is kept.
	//
	// +optional
	Log *BuildLog `json:"log,omitempty"`

	// Webhook is how far the build's end has been told to the image's webhook; absent
	// where there was none when it ended.
	//
	// +optional
	Webhook *WebhookDelivery `json:"webhook,omitempty"`

	// CommitStatus is what GitHub shows of the build at its commit; absent until it was
	// told.
	//
	// +optional
	CommitStatus *CommitStatus `json:"commitStatus,omitempty"`

	// Billing is what Stripe was told; absent until it was.
	//
	// +optional
	Billing *BuildBilling `json:"billing,omitempty"`

	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// BaseImage is an image that a build was made from: FROM, or COPY --from, in its Dockerfile.
type BaseImage struct {
	// Reference is what the name in the Dockerfile came to, host/path:tag. It has no tag
	// where the Dockerfile names a digest: such a base never moves.
	//
	// +kubebuilder:validation:MaxLength=512
	Reference string `json:"reference"`

	// Digest is what the registry had there: of the index, for an image of several
	// platforms. Absent where the strategy does not tell it.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=71
	Digest string `json:"digest,omitempty"`
}

// BuildLog tells of a build's kept log: gzip chunks in ConfigMaps of the build's namespace.
type BuildLog struct {
	// Lines is the number of the last line; the first is 1.
	Lines int64 `json:"lines"`

	// FirstLine is the number of the first line kept: over 1 where older lines
	// were beyond the bound.
	//
	// +optional
	FirstLine int64 `json:"firstLine,omitempty"`

	// ConfigMaps hold the chunks, in order.
	//
	// +optional
	ConfigMaps []string `json:"configMaps,omitempty"`
}

// BuildBilling is what Stripe was told of a build.
type BuildBilling struct {
	// Seconds that were metered.
	Seconds int64 `json:"seconds"`

	// ReportTime is when Stripe took the meter event (or, for 0 seconds, when it
	// was found that nothing is owed).
	ReportTime metav1.Time `json:"reportTime"`
}

// Build is one run of an image definition.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:storageversion
// +kubebuilder:resource:shortName=bld,categories=drydock
// +kubebuilder:selectablefield:JSONPath=`.spec.account`
// +kubebuilder:selectablefield:JSONPath=`.spec.image.name`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
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
	Spec   BuildSpec   `json:"spec"`
	Status BuildStatus `json:"status,omitempty"`
}

// BuildList is a list of builds.
//
// +kubebuilder:object:root=true
type BuildList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Build `json:"items"`
}
