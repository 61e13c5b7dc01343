package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Signals are whom an image tells how it is doing.
type Signals struct {
	// Public images have a badge that everybody may see.
	//
	// +optional
	Public bool `json:"public,omitempty"`

	// Webhook is told of each build that ends.
	//
	// +optional
	Webhook *ImageWebhook `json:"webhook,omitempty"`
}

// ImageWebhook is an address that is told of each build that ends.
type ImageWebhook struct {
	// URL is where it is sent to, by POST.
	//
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^\s@]+$`
	URL string `json:"url"`

	// Nonce makes the signing secret, with the image's UID; a new one makes a new secret.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Nonce string `json:"nonce,omitempty"`

	// SetTime is when it was set.
	//
	// +optional
	SetTime metav1.Time `json:"setTime,omitempty"`
}

// Identity is what an image's webhook's secret is derived of, see package signing.
func (w *ImageWebhook) Identity(imageUID string) string { return imageUID + "/" + w.Nonce }

// WebhookDelivery is how far a build's end has been told to the image's webhook.
type WebhookDelivery struct {
	// Attempts made so far.
	//
	// +optional
	Attempts int32 `json:"attempts,omitempty"`

	// LastStatus is the HTTP status of the last answer; 0 where there was none.
	//
	// +optional
	LastStatus int32 `json:"lastStatus,omitempty"`

	// Message is a sentence for people: why the last attempt failed.
	//
	// +optional
	Message string `json:"message,omitempty"`

	// DeliveredTime is when the receiver took it.
	//
	// +optional
	DeliveredTime *metav1.Time `json:"deliveredTime,omitempty"`

	// NextTime is when it is tried next; absent once it was taken, or given up.
	//
	// +optional
	NextTime *metav1.Time `json:"nextTime,omitempty"`
}

// CommitStatus is what GitHub was told of a build.
type CommitStatus struct {
	// State is pending, success, failure or error.
	State string `json:"state"`

	// Message is a sentence for people: why GitHub did not take it. Then it is told no more.
	//
	// +optional
	Message string `json:"message,omitempty"`

	// Time is when it was told.
	Time metav1.Time `json:"time"`
}
