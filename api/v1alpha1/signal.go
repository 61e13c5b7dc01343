package v1alpha1

// Signals are whom an image tells how it is doing.
type Signals struct {
	// Public images have a badge that everybody may see.
	//
	// +optional
	Public bool `json:"public,omitempty"`
}
